"""Flask: `gunicorn flask_server:application`. One application for each way to forward, chosen by the path."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import flask
import onward
from forwarding import OPENTELEMETRY, EnvironGetter, hand_written
from opentelemetry import context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def app(view: Callable[[], str]) -> flask.Flask:
    made = flask.Flask(__name__)
    made.add_url_rule("/<_way>", view_func=lambda _way: view())
    return made


def by_loop() -> str:
    hand_written(flask.request)
    return "ok"


def with_opentelemetry(wsgi_app: Any) -> Any:
    getter = EnvironGetter()

    def middleware(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        token = context.attach(OPENTELEMETRY.extract(environ, getter=getter))
        try:
            return wsgi_app(environ, start_response)
        finally:
            context.detach(token)

    return middleware


WAYS = {
    "/none": app(lambda: "ok").wsgi_app,
    "/hand_written": app(by_loop).wsgi_app,
    "/opentelemetry": with_opentelemetry(app(lambda: "ok").wsgi_app),
    "/onward": onward.WSGIMiddleware(app(lambda: "ok").wsgi_app),
    "/cpu": app(lambda: str(time.process_time_ns())).wsgi_app,
}


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    return WAYS[environ["PATH_INFO"]](environ, start_response)

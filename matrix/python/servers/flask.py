"""Flask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flask
import flask.views
import onward
from onward.servers.flask import Onward

from . import split, wsgi
from .server import Answer, Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager


def application(answer: Answer) -> wsgi.App:
    """Make the application."""
    covered = _routes(answer)
    Onward(covered)
    return split.wsgi(covered, _routes(answer))


def _routes(answer: Answer) -> flask.Flask:
    app = flask.Flask(__name__)

    @app.get("/attribute")
    @onward.propagate
    def attribute() -> str:
        return answer.call(_query())

    @app.get("/attribute/async")
    @onward.propagate
    async def attribute_async() -> str:
        return await answer.acall(_query())

    class View(flask.views.MethodView):
        @onward.propagate
        def get(self) -> str:
            return answer.call(_query())

    app.add_url_rule("/attribute/class", view_func=View.as_view("class"))

    @app.get("/bare")
    @app.get("/middleware")
    def plain() -> str:
        return answer.call(_query())

    @app.get("/middleware/streamed")
    def streamed() -> flask.Response:
        def pieces(query: str) -> Iterator[str]:
            yield answer.call(query)

        return flask.Response(pieces(_query()))

    @app.get("/middleware/failed")
    def failed() -> str:
        raise LookupError

    @app.errorhandler(LookupError)
    def handled(_: LookupError) -> str:
        return answer.call(_query())

    @app.get("/explicit")
    def explicit() -> dict[str, str]:
        return onward.get_forward_headers(flask.request)

    return app


def _query() -> str:
    return flask.request.query_string.decode()


def start(answer: Answer) -> AbstractContextManager[int]:
    """Start it."""
    return wsgi.serving(application(answer))


SERVERS = (Server("Flask", start),)

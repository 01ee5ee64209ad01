"""Bottle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bottle
import onward

from . import split, wsgi
from .server import Answer, Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager


def application(answer: Answer) -> wsgi.App:
    """Make the application."""
    return split.wsgi(onward.WSGIMiddleware(_routes(answer)), _routes(answer))


def _routes(answer: Answer) -> Any:
    app = bottle.Bottle()

    @app.get("/attribute")
    @onward.propagate
    def attribute() -> str:
        return answer.call(_query())

    @app.get("/bare")
    @app.get("/middleware")
    def plain() -> str:
        return answer.call(_query())

    @app.get("/middleware/streamed")
    def streamed() -> Iterator[str]:
        yield answer.call(_query())

    @app.get("/middleware/failed")
    def failed() -> str:
        return bottle.abort(418)

    @app.error(418)
    def handled(_: Any) -> str:
        bottle.response.status = 200
        return answer.call(_query())

    @app.get("/explicit")
    def explicit() -> dict[str, str]:
        return onward.get_forward_headers(bottle.request)

    return app


def _query() -> str:
    return bottle.request.query_string


def start(answer: Answer) -> AbstractContextManager[int]:
    """Start it."""
    return wsgi.serving(application(answer))


SERVERS = (Server("Bottle", start),)

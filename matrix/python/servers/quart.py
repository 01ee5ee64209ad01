"""Quart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import onward
import quart
import quart.views

from . import asgi, split
from .server import Answer, Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractContextManager


def application(answer: Answer) -> asgi.App:
    """Make the application."""
    covered = _routes(answer)
    covered.asgi_app = onward.ASGIMiddleware(covered.asgi_app)  # type: ignore[method-assign]
    return split.asgi(covered, _routes(answer))


def _routes(answer: Answer) -> quart.Quart:
    app = quart.Quart(__name__)

    @app.get("/attribute")
    @onward.propagate
    async def attribute() -> str:
        return await answer.acall(_query())

    @app.get("/attribute/sync")
    @onward.propagate
    def attribute_sync() -> str:
        return answer.call(_query())

    class View(quart.views.MethodView):
        @onward.propagate
        async def get(self) -> str:
            return await answer.acall(_query())

    app.add_url_rule("/attribute/class", view_func=View.as_view("class"))

    @app.get("/bare")
    @app.get("/middleware")
    async def plain() -> str:
        return await answer.acall(_query())

    @app.get("/middleware/streamed")
    async def streamed() -> quart.Response:
        async def pieces(query: str) -> AsyncIterator[str]:
            yield await answer.acall(query)

        return quart.Response(pieces(_query()))

    @app.get("/middleware/failed")
    async def failed() -> str:
        raise LookupError

    @app.errorhandler(LookupError)
    async def handled(_: LookupError) -> str:
        return await answer.acall(_query())

    @app.get("/middleware/background")
    async def background() -> str:
        app.add_background_task(answer.acall, _query())
        return "later"

    @app.websocket("/attribute/websocket")
    @onward.propagate
    async def attribute_websocket() -> None:
        await quart.websocket.send(await answer.acall(str(await quart.websocket.receive())))

    @app.websocket("/middleware/websocket")
    async def websocket() -> None:
        await quart.websocket.send(await answer.acall(str(await quart.websocket.receive())))

    @app.get("/explicit")
    async def explicit() -> dict[str, str]:
        return onward.get_forward_headers(quart.request)

    return app


def _query() -> str:
    return quart.request.query_string.decode()


def start(answer: Answer) -> AbstractContextManager[int]:
    """Start it."""
    return asgi.serving(application(answer))


SERVERS = (Server("Quart", start),)

"""Starlette."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import onward
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute

from . import asgi, split
from .server import Answer, Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractContextManager

    from starlette.requests import Request
    from starlette.websockets import WebSocket


def application(answer: Answer) -> asgi.App:
    """Make the application."""
    return split.asgi(_routes(answer, Middleware(onward.ASGIMiddleware)), _routes(answer))


def _routes(answer: Answer, *middleware: Any) -> Starlette:
    @onward.propagate
    async def attribute(request: Request) -> Response:
        return PlainTextResponse(await answer.acall(request.url.query))

    @onward.propagate
    def attribute_sync(request: Request) -> Response:
        return PlainTextResponse(answer.call(request.url.query))

    class Endpoint(HTTPEndpoint):
        @onward.propagate
        async def get(self, request: Request) -> Response:
            return PlainTextResponse(await answer.acall(request.url.query))

    async def plain(request: Request) -> Response:
        return PlainTextResponse(await answer.acall(request.url.query))

    async def streamed(request: Request) -> Response:
        async def pieces() -> AsyncIterator[str]:
            yield await answer.acall(request.url.query)

        return StreamingResponse(pieces())

    async def failed(_: Request) -> Response:
        raise LookupError

    async def handled(request: Request, _: Exception) -> Response:
        return PlainTextResponse(await answer.acall(request.url.query))

    async def background(request: Request) -> Response:
        return PlainTextResponse("later", background=BackgroundTask(answer.acall, request.url.query))

    async def websocket(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text(await answer.acall(await socket.receive_text()))
        await socket.close()

    async def explicit(request: Request) -> Response:
        return JSONResponse(onward.get_forward_headers(request))

    return Starlette(
        routes=[
            Route("/attribute", attribute),
            Route("/attribute/sync", attribute_sync),
            Route("/attribute/class", Endpoint),
            Route("/bare", plain),
            Route("/middleware", plain),
            Route("/middleware/streamed", streamed),
            Route("/middleware/failed", failed),
            Route("/middleware/background", background),
            WebSocketRoute("/middleware/websocket", websocket),
            WebSocketRoute("/attribute/websocket", onward.propagate(websocket)),
            Route("/explicit", explicit),
        ],
        exception_handlers={LookupError: handled},
        middleware=list(middleware),
    )


def start(answer: Answer) -> AbstractContextManager[int]:
    """Start it."""
    return asgi.serving(application(answer))


SERVERS = (Server("Starlette", start),)

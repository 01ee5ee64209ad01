"""ASGI without a framework."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import onward
import uvicorn

from . import loop
from .server import Answer, Server

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Awaitable, Callable

    App = Callable[[Any, Any, Any], Awaitable[None]]


def serving(app: App) -> contextlib.AbstractContextManager[int]:
    """Serve an ASGI application on loopback."""

    @contextlib.asynccontextmanager
    async def serve(listener: socket.socket) -> AsyncIterator[None]:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        running = asyncio.create_task(server.serve([listener]))
        try:
            yield
        finally:
            server.should_exit = True
            await running

    return loop.serving(serve)


def start(answer: Answer) -> contextlib.AbstractContextManager[int]:
    """Start one whose routes are applications of their own."""

    async def bare(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001 - a GET request has no body
        text = await answer.acall(scope["query_string"].decode())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": text.encode()})

    routes: dict[str, App] = {
        "/attribute": onward.propagate(bare),
        "/middleware": onward.ASGIMiddleware(bare),
        "/bare": bare,
    }

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await routes[scope["path"]](scope, receive, send)

    return serving(app)


SERVERS = (Server("ASGI", start),)

"""aiohttp.web."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import onward
from aiohttp import web
from onward.servers.aiohttp import middleware

from . import loop
from .server import Answer, Server

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator

    from aiohttp.typedefs import Handler


def application(answer: Answer) -> web.Application:
    """Make the application."""

    @onward.propagate
    async def attribute(request: web.Request) -> web.Response:
        return web.Response(text=await answer.acall(request.query_string))

    class View(web.View):
        @onward.propagate
        async def get(self) -> web.Response:
            return web.Response(text=await answer.acall(self.request.query_string))

    async def plain(request: web.Request) -> web.Response:
        return web.Response(text=await answer.acall(request.query_string))

    async def streamed(request: web.Request) -> web.Response:
        async def pieces() -> AsyncIterator[bytes]:
            yield (await answer.acall(request.query_string)).encode()

        return web.Response(body=pieces())

    async def failed(_: web.Request) -> web.Response:
        raise LookupError

    @web.middleware
    async def handle(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except LookupError:
            return web.Response(text=await answer.acall(request.query_string))

    async def websocket(request: web.Request) -> web.WebSocketResponse:
        sockets = web.WebSocketResponse()
        await sockets.prepare(request)
        await sockets.send_str(await answer.acall(await sockets.receive_str()))
        return sockets

    async def explicit(request: web.Request) -> web.Response:
        return web.json_response(onward.get_forward_headers(request))

    covered = web.Application(middlewares=[middleware(), handle])
    covered.router.add_get("", plain)
    covered.router.add_get("/streamed", streamed)
    covered.router.add_get("/failed", failed)
    covered.router.add_get("/websocket", websocket)
    app = web.Application()
    app.router.add_get("/attribute", attribute)
    app.router.add_view("/attribute/class", View)
    app.router.add_get("/attribute/websocket", onward.propagate(websocket))
    app.router.add_get("/bare", plain)
    app.router.add_get("/explicit", explicit)
    app.add_subapp("/middleware", covered)
    return app


def start(answer: Answer) -> contextlib.AbstractContextManager[int]:
    """Start it."""

    @contextlib.asynccontextmanager
    async def serve(listener: socket.socket) -> AsyncIterator[None]:
        runner = web.AppRunner(application(answer))
        await runner.setup()
        await web.SockSite(runner, listener).start()
        try:
            yield
        finally:
            await runner.cleanup()

    return loop.serving(serve)


SERVERS = (Server("aiohttp", start),)

"""Sanic."""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING, Any

import onward
import sanic
import sanic.views
from onward.servers.sanic import Onward

import ask

from . import loop
from .server import Answer, Server

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Iterator

App = sanic.Sanic[Any, Any]
_numbers = itertools.count()


def application(answer: Answer) -> App:
    """Make the application."""
    app: App = sanic.Sanic(f"matrix-{next(_numbers)}", configure_logging=False)
    app.config.ACCESS_LOG = False
    app.config.MOTD = False
    # It rewrites the class, once: no place for several applications.
    app.config.TOUCHUP = False

    @app.get("/attribute")
    @onward.propagate
    async def attribute(request: sanic.Request) -> sanic.HTTPResponse:
        return sanic.text(await answer.acall(request.query_string))

    class View(sanic.views.HTTPMethodView):
        @onward.propagate
        async def get(self, request: sanic.Request) -> sanic.HTTPResponse:
            return sanic.text(await answer.acall(request.query_string))

    app.add_route(View.as_view(), "/attribute/class")

    @app.get("/bare", name="bare")
    @app.get("/middleware", name="middleware")
    async def plain(request: sanic.Request) -> sanic.HTTPResponse:
        return sanic.text(await answer.acall(request.query_string))

    @app.get("/middleware/streamed")
    async def streamed(request: sanic.Request) -> None:
        response = await request.respond()
        await response.send(await answer.acall(request.query_string))
        await response.eof()

    @app.get("/middleware/failed")
    async def failed(_: sanic.Request) -> sanic.HTTPResponse:
        raise LookupError

    @app.exception(LookupError)
    async def handled(request: sanic.Request, _: LookupError) -> sanic.HTTPResponse:
        return sanic.text(await answer.acall(request.query_string))

    async def websocket(_: sanic.Request, socket: sanic.Websocket) -> None:
        await socket.send(await answer.acall(str(await socket.recv())))

    app.add_websocket_route(websocket, "/middleware/websocket", name="websocket")
    app.add_websocket_route(onward.propagate(websocket), "/attribute/websocket", name="attribute-websocket")

    @app.get("/explicit")
    async def explicit(request: sanic.Request) -> sanic.HTTPResponse:
        return sanic.json(onward.get_forward_headers(request))

    return app


@contextlib.contextmanager
def start(answer: Answer) -> Iterator[int]:
    """Start two of it: the extension covers an application as a whole."""
    covered = application(answer)
    Onward(covered)
    with serving(covered) as covered_port, serving(application(answer)) as port:
        _covered[port] = covered_port
        yield port


@contextlib.contextmanager
def serving(app: App) -> Iterator[int]:
    """Serve an application on loopback by Sanic's own server."""

    @contextlib.asynccontextmanager
    async def serve(listener: socket.socket) -> AsyncIterator[None]:
        server: Any = await app.create_server(sock=listener, return_asyncio_server=True)
        await server.startup()
        try:
            yield
        finally:
            await server.close()

    try:
        with loop.serving(serve) as port:
            yield port
    finally:
        sanic.Sanic.unregister_app(app)


_covered: dict[int, int] = {}


def port_of(port: int, route: str) -> int:
    """Tell on which port a route is covered, or not, as it is to be."""
    return _covered[port] if route.startswith("/middleware") else port


def _ask(port: int, route: str, to: str) -> str:
    return ask.over_http(port_of(port, route), route, to)


SERVERS = (Server("Sanic", start, ask=_ask),)

"""Tornado."""

from __future__ import annotations

import contextlib
import http
from typing import TYPE_CHECKING, Any

import onward
from onward.servers.tornado import Middleware
from tornado.httpserver import HTTPServer
from tornado.routing import PathMatches, Rule, RuleRouter
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler

from . import loop
from .server import Answer, Server

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator


def application(answer: Answer) -> RuleRouter:
    """Make the application."""

    class Attribute(RequestHandler):
        @onward.propagate
        async def get(self) -> None:
            self.write(await answer.acall(self.request.query))

    class Plain(RequestHandler):
        async def get(self) -> None:
            self.write(await answer.acall(self.request.query))

    class Streamed(RequestHandler):
        async def get(self) -> None:
            await self.flush()
            self.write(await answer.acall(self.request.query))

    class Failed(RequestHandler):
        async def get(self) -> None:
            raise LookupError

        def write_error(self, status_code: int, **_: Any) -> None:
            assert status_code == http.HTTPStatus.INTERNAL_SERVER_ERROR  # noqa: S101 - and no other error
            self.set_status(http.HTTPStatus.OK)
            self.finish(answer.call(self.request.query))

        def log_exception(self, *_: Any) -> None:
            pass

    class Socket(WebSocketHandler):
        async def on_message(self, message: str | bytes) -> None:
            await self.write_message(await answer.acall(str(message)))

    class Explicit(RequestHandler):
        async def get(self) -> None:
            self.write(onward.get_forward_headers(self.request))

    routes = Application(
        [
            ("/attribute", Attribute),
            ("/bare", Plain),
            ("/middleware", Plain),
            ("/middleware/streamed", Streamed),
            ("/middleware/failed", Failed),
            ("/middleware/websocket", Socket),
            ("/explicit", Explicit),
        ]
    )
    return RuleRouter([Rule(PathMatches("/middleware.*"), Middleware(routes)), Rule(PathMatches(".*"), routes)])


def start(answer: Answer) -> contextlib.AbstractContextManager[int]:
    """Start it."""

    @contextlib.asynccontextmanager
    async def serve(listener: socket.socket) -> AsyncIterator[None]:
        server = HTTPServer(application(answer))
        server.add_socket(listener)
        try:
            yield
        finally:
            server.stop()
            await server.close_all_connections()

    return loop.serving(serve)


SERVERS = (Server("Tornado", start),)

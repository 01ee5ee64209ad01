"""Tornado: what stands between its server and an application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tornado.httputil import HTTPMessageDelegate, HTTPServerConnectionDelegate

from onward import _current
from onward._native import ForwardHeaders, Propagator, default
from onward._scope import leave

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from tornado.httputil import HTTPConnection, HTTPHeaders, RequestStartLine, ResponseStartLine


class Middleware(HTTPServerConnectionDelegate):
    """Hold each request's forward headers in scope while the application handles it.

    ``HTTPServer(Middleware(app)).listen(9080)``. `app` is an `Application` or any other router.
    """

    def __init__(self, app: HTTPServerConnectionDelegate, propagator: Propagator | None = None) -> None:
        self._app = app
        self._extract = (propagator or default()).extract

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        return _Message(self._app.start_request(server_conn, request_conn), self._extract)

    def on_close(self, server_conn: object) -> None:
        self._app.on_close(server_conn)


class _Message(HTTPMessageDelegate):
    """One request. Whatever task the application starts when it is told of a part of it begins in scope."""

    def __init__(self, message: HTTPMessageDelegate, extract: Any) -> None:
        self._message = message
        self._extract = extract
        self._headers = ForwardHeaders()

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        self._headers = self._extract(headers)
        token = _current.set(self._headers)
        try:
            return self._message.headers_received(start_line, headers)
        finally:
            leave(token)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        token = _current.set(self._headers)
        try:
            return self._message.data_received(chunk)
        finally:
            leave(token)

    def finish(self) -> None:
        token = _current.set(self._headers)
        try:
            self._message.finish()
        finally:
            leave(token)

    def on_connection_close(self) -> None:
        token = _current.set(self._headers)
        try:
            self._message.on_connection_close()
        finally:
            leave(token)

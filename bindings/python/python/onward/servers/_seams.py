"""Where each framework takes a request over: what `instrument(servers=True)` patches.

It is the framework's side, and not the server's: `application(environ, start_response)` and `application(scope,
receive, send)` are calls that a standard specifies, they are the same below every server, and the framework knows
which of the two it is. What brings its own server is taken where that hands over.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from onward import _current
from onward._hook import Hook, replace
from onward._native import default
from onward._scope import leave

from .asgi import ASGIMiddleware
from .wsgi import WSGIMiddleware

if TYPE_CHECKING:
    from collections.abc import Callable

    from onward._hook import Unpatch

    Patch = Callable[[Any], Unpatch]


def _wsgi(owner: str, name: str = "__call__") -> Patch:
    def around(original: Any) -> Any:
        def call(self: Any, environ: dict[str, Any], start_response: Any) -> Any:
            # Made for the request, so that `set_default` counts whenever the program calls it.
            return WSGIMiddleware(functools.partial(original, self))(environ, start_response)

        return call

    return lambda module: replace(getattr(module, owner), name, around)


def _asgi(owner: str, name: str = "__call__") -> Patch:
    def around(original: Any) -> Any:
        # Asynchronous by itself: uvicorn looks whether it is.
        async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
            await ASGIMiddleware(functools.partial(original, self))(scope, receive, send)

        return call

    return lambda module: replace(getattr(module, owner), name, around)


def _aiohttp(module: Any) -> Unpatch:
    def around(original: Any) -> Any:
        async def handle(self: Any, request: Any) -> Any:
            # Never reset: the task is the request's own, and sends the body after this has returned.
            _current.set(default().extract(request))
            return await original(self, request)

        return handle

    return replace(module.Application, "_handle", around)


def _sanic(module: Any) -> Unpatch:
    from .sanic import Onward  # noqa: PLC0415 - imports Sanic

    def around(original: Any) -> Any:
        # Sanic compiles its own methods anew when it starts, from their source, so that no patch of them stays.
        def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
            original(self, *args, **kwargs)
            Onward(self)

        return __init__

    return replace(module.Sanic, "__init__", around)


def _tornado(module: Any) -> Unpatch:
    from .tornado import _Message  # noqa: PLC0415 - imports Tornado

    def around(original: Any) -> Any:
        def start_request(self: Any, server_conn: Any, request_conn: Any) -> Any:
            return _Message(original(self, server_conn, request_conn), default().extract)

        return start_request

    return replace(module.Application, "start_request", around)


def _grpc(module: Any) -> Unpatch:
    from .grpc import patch  # noqa: PLC0415 - imports gRPC

    return patch(module)


def _http_server(module: Any) -> Unpatch:
    """`http.server`, and what is made of it: wsgiref, Werkzeug's and Django's servers for development."""

    def around_connection(original: Any) -> Any:
        def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - socketserver handles in it
            token = _current.set(_current.NOTHING)
            try:
                original(self, *args, **kwargs)
            finally:
                leave(token)

        return __init__

    def around_parser(original: Any) -> Any:
        def parse_request(self: Any) -> Any:
            _current.set(_current.NOTHING)
            parsed = original(self)
            if parsed:
                _current.set(default().extract(self.headers))
            return parsed

        return parse_request

    handler = module.BaseHTTPRequestHandler
    steps = (replace(handler, "__init__", around_connection), replace(handler, "parse_request", around_parser))

    def undo() -> None:
        for step in steps:
            step()

    return undo


SERVERS = (
    Hook("aiohttp.web_app", _aiohttp),
    Hook("bottle", _wsgi("Bottle", "wsgi")),
    Hook("django.core.handlers.asgi", _asgi("ASGIHandler")),
    Hook("django.core.handlers.wsgi", _wsgi("WSGIHandler")),
    Hook("falcon.app", _wsgi("App")),
    Hook("falcon.asgi.app", _asgi("App")),
    Hook("flask.app", _wsgi("Flask", "wsgi_app")),
    Hook("grpc", _grpc),
    Hook("http.server", _http_server),
    Hook("litestar.app", _asgi("Litestar")),
    Hook("pyramid.router", _wsgi("Router")),
    Hook("quart.app", _asgi("Quart", "asgi_app")),
    Hook("sanic.app", _sanic),
    Hook("starlette.applications", _asgi("Starlette")),
    Hook("tornado.web", _tornado),
)

"""Falcon, both under WSGI and under ASGI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import falcon
import falcon.asgi
import onward

from . import asgi, split, wsgi
from .server import Answer, Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from contextlib import AbstractContextManager


def application(answer: Answer) -> wsgi.App:
    """Make the application for WSGI."""
    return split.wsgi(onward.WSGIMiddleware(_routes(answer)), _routes(answer))


def _routes(answer: Answer) -> Any:
    class Attribute:
        @onward.propagate
        def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
            resp.text = answer.call(req.query_string)

    class Plain:
        def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
            resp.text = answer.call(req.query_string)

    class Streamed:
        def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
            def pieces() -> Iterator[bytes]:
                yield answer.call(req.query_string).encode()

            resp.stream = pieces()

    class Failed:
        def on_get(self, _req: falcon.Request, _resp: falcon.Response) -> None:
            raise LookupError

    def handled(req: falcon.Request, resp: falcon.Response, _error: LookupError, _params: Any) -> None:
        resp.text = answer.call(req.query_string)

    class Explicit:
        def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
            resp.media = onward.get_forward_headers(req)

    return _add(falcon.App(), handled, (Attribute(), Plain(), Streamed(), Failed(), Explicit()))


def asgi_application(answer: Answer) -> asgi.App:
    """Make the application for ASGI."""
    return split.asgi(onward.ASGIMiddleware(_asgi_routes(answer)), _asgi_routes(answer))


def _asgi_routes(answer: Answer) -> Any:
    class Attribute:
        @onward.propagate
        async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
            resp.text = await answer.acall(req.query_string)

    class Plain:
        async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
            resp.text = await answer.acall(req.query_string)

    class Streamed:
        async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
            async def pieces() -> AsyncIterator[bytes]:
                yield (await answer.acall(req.query_string)).encode()

            resp.stream = pieces()

    class Failed:
        async def on_get(self, _req: falcon.asgi.Request, _resp: falcon.asgi.Response) -> None:
            raise LookupError

    async def handled(
        req: falcon.asgi.Request, resp: falcon.asgi.Response, _error: LookupError, _params: Any, **_: Any
    ) -> None:
        resp.text = await answer.acall(req.query_string)

    class Explicit:
        async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
            resp.media = onward.get_forward_headers(req)

    return _add(falcon.asgi.App(), handled, (Attribute(), Plain(), Streamed(), Failed(), Explicit()))


def _add(app: Any, handled: Any, resources: tuple[Any, Any, Any, Any, Any]) -> Any:
    attribute, plain, streamed, failed, explicit = resources
    app.add_route("/attribute", attribute)
    app.add_route("/bare", plain)
    app.add_route("/middleware", plain)
    app.add_route("/middleware/streamed", streamed)
    app.add_route("/middleware/failed", failed)
    app.add_route("/explicit", explicit)
    app.add_error_handler(LookupError, handled)
    return app


def start(answer: Answer) -> AbstractContextManager[int]:
    """Start it under WSGI."""
    return wsgi.serving(application(answer))


def start_asgi(answer: Answer) -> AbstractContextManager[int]:
    """Start it under ASGI."""
    return asgi.serving(asgi_application(answer))


SERVERS = (Server("Falcon, WSGI", start), Server("Falcon, ASGI", start_asgi))

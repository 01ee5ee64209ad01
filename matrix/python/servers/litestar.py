"""Litestar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import onward
from litestar import Controller, Litestar, MediaType, Request, Response, get
from litestar.background_tasks import BackgroundTask
from litestar.response import Stream

from . import asgi, split
from .server import Answer, Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractContextManager


def application(answer: Answer) -> asgi.App:
    """Make the application."""
    return split.asgi(_routes(answer, onward.ASGIMiddleware), _routes(answer))


def _routes(answer: Answer, *middleware: Any) -> Litestar:
    @get("/attribute", media_type=MediaType.TEXT)
    @onward.propagate
    async def attribute(request: Request[Any, Any, Any]) -> str:
        return await answer.acall(request.url.query)

    @get("/attribute/sync", media_type=MediaType.TEXT, sync_to_thread=True)
    @onward.propagate
    def attribute_sync(request: Request[Any, Any, Any]) -> str:
        return answer.call(request.url.query)

    class ClassBased(Controller):
        @get("/attribute/class", media_type=MediaType.TEXT)
        @onward.propagate
        async def attribute(self, request: Request[Any, Any, Any]) -> str:
            return await answer.acall(request.url.query)

    @get(["/bare", "/middleware"], media_type=MediaType.TEXT)
    async def plain(request: Request[Any, Any, Any]) -> str:
        return await answer.acall(request.url.query)

    @get("/middleware/streamed")
    async def streamed(request: Request[Any, Any, Any]) -> Stream:
        async def pieces() -> AsyncIterator[str]:
            yield await answer.acall(request.url.query)

        return Stream(pieces())

    @get("/middleware/failed")
    async def failed() -> None:
        raise LookupError

    def handled(request: Request[Any, Any, Any], _: LookupError) -> Response[str]:
        return Response(answer.call(request.url.query), media_type=MediaType.TEXT)

    @get("/middleware/background", media_type=MediaType.TEXT)
    async def background(request: Request[Any, Any, Any]) -> Response[str]:
        return Response("later", background=BackgroundTask(answer.acall, request.url.query))

    @get("/explicit")
    async def explicit(request: Request[Any, Any, Any]) -> dict[str, str]:
        return onward.get_forward_headers(request)

    return Litestar(
        [attribute, attribute_sync, ClassBased, plain, streamed, failed, background, explicit],
        exception_handlers={LookupError: handled},
        middleware=middleware,
        logging_config=None,
    )


def start(answer: Answer) -> AbstractContextManager[int]:
    """Start it."""
    return asgi.serving(application(answer))


SERVERS = (Server("Litestar", start),)

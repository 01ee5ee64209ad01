"""FastAPI."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastapi
import onward
from fastapi import BackgroundTasks, FastAPI, Request
from fastapi.responses import PlainTextResponse, StreamingResponse

from . import asgi, split
from .server import Answer, Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractContextManager


def application(answer: Answer) -> asgi.App:
    """Make the application."""
    covered = _routes(answer)
    covered.add_middleware(onward.ASGIMiddleware)
    return split.asgi(covered, _routes(answer))


def _routes(answer: Answer) -> FastAPI:
    app = FastAPI(default_response_class=PlainTextResponse)

    @app.get("/attribute")
    @onward.propagate
    async def attribute(request: Request, to: str) -> str:
        assert to in request.query_params["to"]  # noqa: S101 - FastAPI has seen the handler's own arguments
        return await answer.acall(request.url.query)

    @app.get("/attribute/sync")
    @onward.propagate
    def attribute_sync(request: Request) -> str:
        return answer.call(request.url.query)

    @app.get("/bare")
    @app.get("/middleware")
    async def plain(request: Request) -> str:
        return await answer.acall(request.url.query)

    @app.get("/middleware/sync")
    def plain_sync(request: Request) -> str:
        return answer.call(request.url.query)

    @app.get("/middleware/streamed")
    async def streamed(request: Request) -> fastapi.Response:
        async def pieces() -> AsyncIterator[str]:
            yield await answer.acall(request.url.query)

        return StreamingResponse(pieces())

    @app.get("/middleware/failed")
    async def failed() -> str:
        raise LookupError

    @app.exception_handler(LookupError)
    async def handled(request: Request, _: LookupError) -> fastapi.Response:
        return PlainTextResponse(await answer.acall(request.url.query))

    @app.get("/middleware/background")
    async def background(request: Request, tasks: BackgroundTasks) -> str:
        tasks.add_task(answer.call, request.url.query)
        return "later"

    @app.get("/explicit", response_class=fastapi.responses.JSONResponse)
    async def explicit(request: Request) -> dict[str, str]:
        return onward.get_forward_headers(request)

    return app


def start(answer: Answer) -> AbstractContextManager[int]:
    """Start it."""
    return asgi.serving(application(answer))


SERVERS = (Server("FastAPI", start),)

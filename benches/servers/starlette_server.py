"""Starlette: `uvicorn starlette_server:application`. One application for each way to forward, chosen by the path."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import onward
from forwarding import OPENTELEMETRY, ScopeGetter, hand_written
from opentelemetry import context
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request


def app(endpoint: Callable[[Request], Awaitable[PlainTextResponse]]) -> Starlette:
    return Starlette(routes=[Route("/{way}", endpoint)])


async def plain(_: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")


async def by_loop(request: Request) -> PlainTextResponse:
    hand_written(request)
    return PlainTextResponse("ok")


async def cpu(_: Request) -> PlainTextResponse:
    return PlainTextResponse(str(time.process_time_ns()))


def with_opentelemetry(asgi_app: Any) -> Any:
    getter = ScopeGetter()

    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        token = context.attach(OPENTELEMETRY.extract(scope, getter=getter))
        try:
            await asgi_app(scope, receive, send)
        finally:
            context.detach(token)

    return middleware


WAYS = {
    "/none": app(plain),
    "/hand_written": app(by_loop),
    "/opentelemetry": with_opentelemetry(app(plain)),
    "/onward": onward.ASGIMiddleware(app(plain)),
    "/cpu": app(cpu),
}


async def application(scope: Any, receive: Any, send: Any) -> None:
    await WAYS[scope["path"]](scope, receive, send)

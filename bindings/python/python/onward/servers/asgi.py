"""ASGI: Starlette, FastAPI, Quart, Litestar, Falcon, anything else that speaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onward import _current
from onward._native import Propagator, default
from onward._scope import leave

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    # Each framework has types of its own for a scope, `receive` and `send`.
    App = Callable[[Any, Any, Any], Awaitable[None]]


class ASGIMiddleware:
    """Hold each request's forward headers in scope while the application handles it.

    ``app = onward.ASGIMiddleware(app)``, in Starlette and FastAPI ``app.add_middleware(onward.ASGIMiddleware)``, in
    Litestar ``Litestar(..., middleware=[onward.ASGIMiddleware])``.
    """

    __slots__ = ("_extract", "app")

    def __init__(self, app: App, propagator: Propagator | None = None) -> None:
        self.app: App = app
        self._extract = (propagator or default()).extract

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if "headers" not in scope:
            return await self.app(scope, receive, send)
        token = _current.set(self._extract(scope))
        try:
            await self.app(scope, receive, send)
        finally:
            leave(token)

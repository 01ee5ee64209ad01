"""ASGI: Starlette, FastAPI, Quart, Django."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onward._native import Propagator, default
from onward._scope import _current, leave

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]


class ASGIMiddleware:
    """Hold each request's forward headers in scope while the application handles it.

    ``app = onward.ASGIMiddleware(app)``, or in Starlette and FastAPI ``app.add_middleware(onward.ASGIMiddleware)``.
    """

    __slots__ = ("_extract", "app")

    def __init__(self, app: App, propagator: Propagator | None = None) -> None:
        self.app: App = app
        self._extract = (propagator or default()).extract

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "headers" not in scope:
            return await self.app(scope, receive, send)
        token = _current.set(self._extract(scope))
        try:
            await self.app(scope, receive, send)
        finally:
            leave(token)

"""Sanic: an extension."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onward import _current
from onward._native import Propagator, default

if TYPE_CHECKING:
    from sanic import Sanic


class Onward:
    """Hold each request's forward headers in scope while the application handles it and streams its body.

    ``Onward(app)``, or ``onward = Onward()`` and later ``onward.init_app(app)``, before the server starts. It covers
    handlers, error handlers and middleware.
    """

    def __init__(self, app: Sanic[Any, Any] | None = None, propagator: Propagator | None = None) -> None:
        self._extract = (propagator or default()).extract
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Sanic[Any, Any]) -> None:
        """Cover an application."""
        # Sanic's middleware would leave the scope when a streamed response begins.
        app.add_signal(self._enter, "http.lifecycle.request")
        app.add_signal(self._leave, "http.lifecycle.response")

    async def _enter(self, request: Any, **_: Any) -> None:
        _current.set(self._extract(request))

    async def _leave(self, **_: Any) -> None:
        # All requests of a connection share one task, and with it one context.
        _current.set(_current.NOTHING)

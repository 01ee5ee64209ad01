"""aiohttp.web: a middleware."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from onward import _current
from onward._native import Propagator, default

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware


def middleware(propagator: Propagator | None = None) -> Middleware:
    """Hold each request's forward headers in scope until its response is sent.

    ``web.Application(middlewares=[middleware()])``, first in the list, so that it covers the others too.
    """
    extract = (propagator or default()).extract

    @web.middleware
    async def forward_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
        # Never reset: aiohttp runs each request in a task of its own, in which a body can still be made after this
        # has returned. The scope ends with the task.
        _current.set(extract(request))
        return await handler(request)

    return forward_headers

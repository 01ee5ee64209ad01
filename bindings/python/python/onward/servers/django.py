"""Django: one middleware for WSGI and ASGI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction

from onward import _current
from onward._native import ForwardHeaders, default
from onward._scope import _steps_async, leave

from .wsgi import Body

if TYPE_CHECKING:
    from collections.abc import Callable


class OnwardMiddleware:
    """Hold each request's forward headers in scope while Django handles it and streams its body.

    It stands first, so that it covers the other middleware too::

        MIDDLEWARE = ["onward.servers.django.OnwardMiddleware", ...]
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self._get_response = get_response
        self._extract = default().extract
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: Any) -> Any:
        if self._is_async:
            return self._respond(request)
        headers = self._extract(request)
        token = _current.set(headers)
        try:
            response = self._get_response(request)
        finally:
            leave(token)
        return _stream(headers, response) if response.streaming else response

    async def _respond(self, request: Any) -> Any:
        headers = self._extract(request)
        token = _current.set(headers)
        try:
            response = await self._get_response(request)
        finally:
            leave(token)
        return _stream(headers, response) if response.streaming else response


def _stream(headers: ForwardHeaders, response: Any) -> Any:
    """Let a body that is made while it is sent be made in scope."""
    # A file is the server's to send, and calls nobody.
    if getattr(response, "file_to_stream", None) is None:
        body = response.streaming_content
        response.streaming_content = _steps_async(headers, body) if response.is_async else Body(headers, body)
    return response

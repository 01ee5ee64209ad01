"""WSGI: Bottle, Falcon, Pyramid, anything else that PEP 3333 covers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onward import _current
from onward._native import ForwardHeaders, Propagator, default
from onward._scope import leave

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    App = Callable[[dict[str, Any], Any], Iterable[bytes]]


class WSGIMiddleware:
    """Hold each request's forward headers in scope while the application handles it and streams its body.

    ``application = onward.WSGIMiddleware(application)``.
    """

    __slots__ = ("_extract", "app")

    def __init__(self, app: App, propagator: Propagator | None = None) -> None:
        self.app: App = app
        self._extract = (propagator or default()).extract

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        headers = self._extract(environ)
        token = _current.set(headers)
        try:
            body = self.app(environ, start_response)
        finally:
            leave(token)
        # A finished body needs no scope, and a server has its own way with its file wrapper.
        if isinstance(body, (list, tuple, environ.get("wsgi.file_wrapper", tuple))):
            return body
        return Body(headers, body)


class Body:
    """A body whose pieces are made in scope."""

    __slots__ = ("_body", "_headers", "_next")

    def __init__(self, headers: ForwardHeaders, body: Iterable[bytes]) -> None:
        self._headers = headers
        self._body = body
        self._next = self._first

    def _first(self) -> bytes:
        # Only now: to begin a body can be the application's code too.
        self._next = iter(self._body).__next__
        return self._next()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        # Written out, since it runs for every piece of every response.
        token = _current.set(self._headers)
        try:
            return self._next()
        finally:
            _leave(token)

    def close(self) -> None:
        close = getattr(self._body, "close", None)
        if close is not None:
            token = _current.set(self._headers)
            try:
                close()
            finally:
                _leave(token)


_leave = _current.reset

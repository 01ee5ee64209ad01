"""`requests`: every request that a session sends, redirects included."""

from __future__ import annotations

import copy
import functools
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from onward._scope import current

if TYPE_CHECKING:
    from collections.abc import Callable


class Added(str):
    """A value that Onward put on a request.

    The mark is on the value, because that is what survives when requests copies a request to follow a redirect, and
    when a caller copies headers from one request to the next. `replaced` is the library's own value that it took the
    place of.
    """

    __slots__ = ("replaced",)
    replaced: str | None


# What the caller had set on the request that is being sent: after a redirect requests takes some of it off again
# (`rebuild_auth`), which does not make it ours to set.
_callers: ContextVar[tuple[tuple[str, str], ...]] = ContextVar("onward_requests_callers", default=())


def patch(module: Any) -> Callable[[], None]:
    """Wrap `Session.send`, through which every request goes, each hop of a redirect on its own."""
    session = module.Session
    original = session.send
    active = True

    @functools.wraps(original)
    def send(self: Any, request: Any, **kwargs: Any) -> Any:
        if not active or getattr(request, "headers", None) is None or request.url is None:
            return original(self, request, **kwargs)
        prepared, callers = prepare(request, module.utils.default_headers)
        token = _callers.set(callers)
        try:
            return original(self, prepared, **kwargs)
        finally:
            _callers.reset(token)

    session.send = send

    def unpatch() -> None:
        nonlocal active
        # Somebody else may have wrapped `send` after us; then ours stays below theirs and passes everything on.
        active = False
        if session.send is send:
            session.send = original

    return unpatch


def prepare(request: Any, library_defaults: Callable[[], Any]) -> tuple[Any, tuple[tuple[str, str], ...]]:
    """Give the request as it is to be sent, and what its caller has set.

    The caller's own object stays as it is: it may be sent again, for another inbound request, from another thread.
    """
    headers = request.headers
    captured = current()
    ours = [name for name, value in headers.items() if isinstance(value, Added)]
    if not captured and not ours:
        return request, _callers.get()
    headers = headers.copy()
    for name in ours:
        value = headers.pop(name)
        if value.replaced is not None:
            headers[name] = value.replaced
    library = library_defaults()
    defaults = [name for name, value in headers.items() if library.get(name) == value]
    callers = tuple((name, value) for name, value in headers.items() if name not in defaults)
    outbound = [(name, value) for name, value in headers.items()]
    outbound.extend(pair for pair in _callers.get() if pair[0] not in headers)
    for name, text in captured._additions(request.url, outbound, defaults):  # noqa: SLF001 - ours
        value = Added(text)
        value.replaced = headers.get(name)
        headers[name] = value
    sent = copy.copy(request)
    sent.headers = headers
    return sent, (*_callers.get(), *callers)

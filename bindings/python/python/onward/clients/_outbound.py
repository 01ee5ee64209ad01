"""What an outbound request gets, decided anew for each hop of a redirect: the same for every client library."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from onward._hook import replace
from onward._native import ForwardHeaders
from onward._scope import inbound, scope
from onward.diagnostics import called

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Lines = Iterable[tuple[str, Any]]

_EMPTY = ForwardHeaders()

# The request that was sent last, by what its hops share, and what its caller had set: on a redirect libraries take
# some of it off again, a credential for instance, which does not make it ours to set.
_last: ContextVar[tuple[object, Mapping[str, bytes]]] = ContextVar("onward_last_request", default=(None, {}))


def _current_span() -> object:
    trace = sys.modules.get("opentelemetry.trace")
    try:
        return None if trace is None else trace.get_current_span()
    except Exception:  # noqa: BLE001 - where it is other than expected, the request goes on as without it
        return None


def as_bytes(value: Any) -> bytes:
    """Of what a caller has set it only counts that it is there, and whether it is a signature."""
    return value if isinstance(value, bytes) else str(value).encode("latin-1", "replace")


class Decision:
    """The lines that are `added` to a request, and all that they depend on.

    A name among them that the request has already stands there with one of the library's own values, which is to go.
    `callers` is what the caller has set, on this hop or before; `span` the one of OpenTelemetry that is current, None
    where the program has not imported it.
    """

    __slots__ = ("_captured", "_library", "_repeats", "_url", "added", "callers", "span")

    def __init__(  # noqa: PLR0913 - all that they depend on
        self,
        captured: ForwardHeaders,
        url: str,
        lines: Lines,
        library: Mapping[str, Any],
        before: Mapping[str, bytes],
        *,
        repeats: bool,
    ) -> None:
        self._captured, self._url, self._library, self._repeats = captured, url, library, repeats
        self.span = _current_span()
        present = {name.lower(): (name, value) for name, value in lines}
        defaults = [name for name in present if library.get(name) == present[name][1]]
        callers = {name: as_bytes(value) for name, (_, value) in present.items() if name not in defaults}
        self.callers = {**before, **callers}
        outbound = [*self.callers.items(), *((name, b"") for name in defaults)]
        try:
            self.added = captured._additions(url, outbound, defaults, repeats)  # noqa: SLF001 - ours
        except UnicodeEncodeError:
            self.added = []

    def is_outdated(self) -> bool:
        """Tell whether another span is current by now: a tracer's, which it has made for this request."""
        return bool(self.added) and self.span is not _current_span()

    def again(self, lines: Lines) -> Decision:
        """Decide once more, about what the request has by now without what was added."""
        return Decision(self._captured, self._url, lines, self._library, self.callers, repeats=self._repeats)


_NOTHING = Decision(_EMPTY, "", (), {}, {}, repeats=False)


def decide(
    url: str,
    lines: Lines,
    library: Mapping[str, Any],
    hops: object = None,
    *,
    repeats: bool = False,
) -> Decision:
    """Decide what to add to a request to `url` that has `lines`.

    `library` has the library's own values (lower-case names). `hops` is an object that all hops of this request share
    and others do not; None for the hops of the last request of this context. `repeats` says whether the request can
    hold several lines of one name.

    Outside a request, and for what is no URL, there is nothing to add.
    """
    captured = inbound()
    if not captured:
        return _NOTHING
    last, before = _last.get()
    before = before if hops is None or last is hops else {}
    decision = Decision(captured, url, lines, library, before, repeats=repeats)
    _last.set((last if hops is None else hops, decision.callers))
    return decision


@contextmanager
def lost(url: str) -> Iterator[None]:
    """Count a request that is outside of every scope, and let it go on in an empty one.

    So those below do not count it again: other libraries, and this one where an explicit object meets `instrument()`.
    """
    with scope(_EMPTY):
        called(url)
        yield


class Decided:
    """Mixed into the headers that one library gives to another below it, which then adds nothing of its own."""

    decision = _NOTHING

    def __getstate__(self) -> dict[str, Any]:
        # The response of requests, which has them, can be pickled.
        return {name: value for name, value in vars(self).items() if name != "decision"}


class Added(str):
    """A value that Onward put on a request.

    The mark is on the value, because that is what survives when requests copies a request to follow a redirect, and
    when a caller copies headers from one request to the next. `replaced` is the library's own value that it took the
    place of.
    """

    __slots__ = ("replaced",)
    replaced: str | None


def mark(value: str, replaced: str | None = None) -> Added:
    """Mark a value as Onward's."""
    added = Added(value)
    added.replaced = replaced
    return added


def look_again(headers: object) -> None:
    """Decide once more about headers that came down decided, where a tracer has made a span in between."""
    if isinstance(headers, Decided) and headers.decision.is_outdated():
        _renew(headers)


def _renew(headers: Any) -> None:
    lines = list(headers.items())
    kept = [(name, value) for name, value in lines if not isinstance(value, Added)]
    replaced = {name: value.replaced for name, value in lines if isinstance(value, Added)}
    headers.decision = headers.decision.again(kept)
    headers.clear()
    headers.extend([*kept, *((name, mark(value, replaced.get(name))) for name, value in headers.decision.added)])


def wrap(owner: Any, name: str, around: Callable[..., Any]) -> Callable[[], None]:
    """Let `around(original, self, ...)` run in the place of a method, and give what undoes that.

    Somebody else may wrap the method after us. Then ours stays below theirs, and passes everything on.
    """
    active = True

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            if not active:
                return original(self, *args, **kwargs)
            return around(original, self, *args, **kwargs)

        return method

    undo = replace(owner, name, make)

    def unpatch() -> None:
        nonlocal active
        active = False
        undo()

    return unpatch


def unwrap(*undoers: Callable[[], None]) -> Callable[[], None]:
    """Undo several."""

    def unpatch() -> None:
        for undo in undoers:
            undo()

    return unpatch

"""What an outbound request gets, decided anew for each hop of a redirect: the same for every client library."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from onward._hook import replace
from onward._scope import inbound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

# The request that was sent last, by what its hops share, and what its caller had set: on a redirect libraries take
# some of it off again, a credential for instance, which does not make it ours to set.
_last: ContextVar[tuple[object, Mapping[str, Any]]] = ContextVar("onward_last_request", default=(None, {}))
# What was added to it: for a tracer below, which makes a span of its own for the request.
last_added: ContextVar[list[tuple[str, str]]] = ContextVar("onward_last_added", default=[])  # noqa: B039 - nobody writes to it


class Decided:
    """Mixed into the headers that one library gives to another below it, which then adds nothing of its own."""


def additions(
    url: str,
    lines: Iterable[tuple[str, Any]],
    library: Mapping[str, Any],
    hops: object = None,
    *,
    repeats: bool = False,
) -> list[tuple[str, str]]:
    """Give the lines to add to a request to `url` that has `lines`.

    A name among them that the request has already stands there with one of `library`'s own values (lower-case names),
    which is to go. `hops` is an object that all hops of this request share and others do not; None for the hops of the
    last request of this context. `repeats` says whether the request can hold several lines of one name.

    Outside a request, and for what is no URL, there is nothing to add.
    """
    captured = inbound()
    if not captured:
        return []
    present = {name.lower(): (name, value) for name, value in lines}
    defaults = [name for name in present if library.get(name) == present[name][1]]
    last, before = _last.get()
    callers = {name: as_bytes(value) for name, (_, value) in present.items() if name not in defaults}
    if hops is None or last is hops:
        callers = {**before, **callers}
    _last.set((hops if hops is not None else last, callers))
    outbound = [*callers.items(), *((name, b"") for name in defaults)]
    try:
        added = captured._additions(url, outbound, defaults, repeats)  # noqa: SLF001 - ours
    except UnicodeEncodeError:
        added = []
    last_added.set(added)
    return added


def as_bytes(value: Any) -> bytes:
    """Of what a caller has set it only counts that it is there, and whether it is a signature."""
    return value if isinstance(value, bytes) else str(value).encode("latin-1", "replace")


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

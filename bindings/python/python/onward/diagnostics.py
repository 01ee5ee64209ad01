"""Finds outbound calls that were made without a scope: mostly a thread that was started without `carry`.

A call counts when an instrumented client, or one of `onward.clients`, makes it outside of every request's scope
although the process has had one before: once for each hop of a redirect, whatever libraries sit on each other::

    import traceback

    import onward


    def tell(destination: str) -> None:
        print("no scope on the call to", destination)
        traceback.print_stack()


    onward.diagnostics.on_call_without_scope(tell)
    onward.diagnostics.calls_without_scope()         # 0

A call that belongs to no request, such as an exporter's, does not count in a scope of its own:
``with onward.scope({}):``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["calls_without_scope", "on_call_without_scope"]

_calls = 0
_callback: Callable[[str], object] | None = None


def calls_without_scope() -> int:
    """Tell how many outbound calls were made without a scope since the process has served its first request."""
    return _calls


def on_call_without_scope(callback: Callable[[str], object] | None) -> None:
    """Call `callback` at each such call, in its place, with the URL: a traceback that is taken there shows who called.

    The URL comes without what may be a secret in it, credentials and the query; for gRPC it is the target and the
    method. There is one callback in a process: another takes its place, None takes it away. An exception of it does not
    reach the call; it is logged, by the logger `onward`. A call that it makes itself does not count.

    Raises `ArgumentError` for what cannot be called.
    """
    if callback is not None and not callable(callback):
        name = type(callback).__name__
        message = f"`on_call_without_scope` takes a function or None, not `{name}`"
        raise ArgumentError(message, "invalid_argument", name)
    global _callback  # noqa: PLW0603 - one in a process
    _callback = callback


def called(destination: str) -> None:
    """Count a call, and tell of it."""
    global _calls  # noqa: PLW0603 - as above
    # Nothing is lost between threads: CPython changes them, with the GIL, where a function is called or a loop repeats.
    _calls += 1
    callback = _callback
    if callback is None:
        return
    import re  # noqa: PLC0415 - what is needed so seldom is not imported with onward

    try:
        callback(re.sub(r"(?s)^([^/]*//)[^/?#]*@|[?#].*", r"\1", destination))
    except Exception:
        import logging  # noqa: PLC0415 - as above

        logging.getLogger("onward").exception("the callback of `on_call_without_scope` has failed")

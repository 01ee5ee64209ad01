"""The context variable that holds the scope, and whether it has ever held a request's headers.

Only the first `set` pays for that. A module, because Python finds its functions at once.
"""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import TYPE_CHECKING

from ._native import ForwardHeaders

if TYPE_CHECKING:
    from collections.abc import Callable

# Outside of every scope. A request without headers has others, as empty as these.
NOTHING = ForwardHeaders()
is_used = False

_variable = ContextVar("onward", default=NOTHING)
get, reset = _variable.get, _variable.reset


def _first(headers: ForwardHeaders) -> Token[ForwardHeaders]:
    global is_used, set
    if headers is not NOTHING:
        is_used, set = True, _variable.set  # noqa: A001 - the context variable's name for it
    return _variable.set(headers)


set: Callable[[ForwardHeaders], Token[ForwardHeaders]] = _first  # noqa: A001 - as above

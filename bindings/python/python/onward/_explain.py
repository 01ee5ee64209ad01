"""`explain` with the process-wide policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._native import default
from ._scope import inbound

if TYPE_CHECKING:
    from ._native import Explanation


def explain(request: Any = None, destination: str | None = None, outbound: Any = None) -> Explanation:
    """Tell header by header what becomes of a request's headers on the way to `destination`, and why.

    Without a request, the headers of the current scope are explained. `outbound` is what the outbound request has
    already. The result prints as a table, and is a sequence of dicts::

        print(onward.explain(request, "https://api.example.com/"))
    """
    if request is None:
        return inbound().explain(destination, outbound)
    return default().explain(request, destination, outbound)

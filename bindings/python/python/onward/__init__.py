"""Keeps distributed traces whole in a service mesh.

Envoy sidecars report spans by themselves, but only the application can say which outbound call belongs to which
inbound request: it has to copy a set of headers from each inbound request to each outbound one. Onward does that::

    import onward

    onward.instrument()          # outbound calls made with `requests` carry the headers by themselves

    @app.route("/productpage")
    @onward.propagate            # captures them from the request that this handler serves
    def productpage():
        return requests.get("http://reviews:9080/reviews/0").json()

By hand: ``requests.get(url, headers=onward.get_forward_headers(request))``.
"""

from collections.abc import Mapping as _Mapping

from . import diagnostics, messages
from ._errors import ArgumentError, CarrierError, OnwardError, PolicyError
from ._explain import explain
from ._instrument import instrument, uninstrument
from ._native import (
    Explanation,
    ForwardHeaders,
    Propagator,
    __version__,
    default,
    get_forward_headers,
    set_default,
)
from ._propagate import propagate
from ._scope import carry, current, scope
from .servers import ASGIMiddleware, WSGIMiddleware

getForwardHeaders = get_forward_headers  # noqa: N816 - the name in Bookinfo, and in Node

# So that whatever takes a mapping of headers takes them: `requests.get(url, headers=onward.current())`.
_Mapping.register(ForwardHeaders)  # pyright: ignore[reportAttributeAccessIssue] - it is one

__all__ = [
    "ASGIMiddleware",
    "ArgumentError",
    "CarrierError",
    "Explanation",
    "ForwardHeaders",
    "OnwardError",
    "PolicyError",
    "Propagator",
    "WSGIMiddleware",
    "__version__",
    "carry",
    "current",
    "default",
    "diagnostics",
    "explain",
    "getForwardHeaders",
    "get_forward_headers",
    "instrument",
    "messages",
    "propagate",
    "scope",
    "set_default",
    "uninstrument",
]

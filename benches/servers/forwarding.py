"""The ways to forward headers that both Python servers measure."""

from __future__ import annotations

from typing import Any

import onward
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.propagators.b3 import B3MultiFormat
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

NAMES = onward.Propagator().names
OPENTELEMETRY = CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator(), B3MultiFormat()])


def hand_written(request: Any) -> dict[str, str]:
    """The loop that everybody writes."""
    forward = {}
    for name in NAMES:
        value = request.headers.get(name)
        if value is not None:
            forward[name] = value
    return forward


class EnvironGetter(Getter[dict[str, Any]]):
    """Reads a WSGI environ, as OpenTelemetry's instrumentation does."""

    def get(self, carrier: dict[str, Any], key: str) -> list[str] | None:
        value = carrier.get("HTTP_" + key.upper().replace("-", "_"))
        return None if value is None else [value]

    def keys(self, carrier: dict[str, Any]) -> list[str]:
        return [key[5:].lower().replace("_", "-") for key in carrier if key.startswith("HTTP_")]


class ScopeGetter(Getter[dict[str, Any]]):
    """Reads an ASGI scope, as OpenTelemetry's instrumentation does."""

    def get(self, carrier: dict[str, Any], key: str) -> list[str] | None:
        wanted = key.lower()
        found = [value.decode() for name, value in carrier["headers"] if name.decode().lower() == wanted]
        return found or None

    def keys(self, carrier: dict[str, Any]) -> list[str]:
        return [name.decode().lower() for name, _ in carrier["headers"]]

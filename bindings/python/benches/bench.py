"""Measures Onward against the loop that everybody writes, and against OpenTelemetry's propagators.

    python benches/bench.py [--rounds 25] [--json]

All contenders of a path run in turn, round by round, in this one process; a ratio is that of their medians. Numbers
from a debug build mean nothing: install the package with pip, or with `maturin develop --release`.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

import flask
import onward
from fixtures import RING, L, S, environ, plain, scope
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.propagators.b3 import B3MultiFormat
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.requests import Request

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = onward.Propagator().names
PREFIXED = onward.Propagator(add=["uberctx-*", "x-canary-*"])
PREFIXES = ("HTTP_UBERCTX_", "HTTP_X_CANARY_")
KEYS = [(name, "HTTP_" + name.upper().replace("-", "_")) for name in NAMES]


def by_headers(request: Any) -> dict[str, str]:
    """The loop that everybody writes."""
    headers = {}
    for name in NAMES:
        value = request.headers.get(name)
        if value is not None:
            headers[name] = value
    return headers


def by_get(carrier: dict[str, str]) -> dict[str, str]:
    headers = {}
    for name in NAMES:
        value = carrier.get(name)
        if value is not None:
            headers[name] = value
    return headers


def by_keys_and_prefixes(carrier: dict[str, Any]) -> dict[str, str]:
    """The best that pure Python can do with an environ and prefix rules."""
    get = carrier.get
    headers = {}
    for name, key in KEYS:
        value = get(key)
        if value:
            headers[name] = value
    for key, value in carrier.items():
        if key.startswith(PREFIXES) and value:
            headers[key[5:].lower().replace("_", "-")] = value
    return headers


PROPAGATOR = CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator(), B3MultiFormat()])


class EnvironGetter(Getter[dict[str, Any]]):
    """As the WSGI instrumentation has it."""

    def get(self, carrier: dict[str, Any], key: str) -> list[str] | None:
        value = carrier.get("HTTP_" + key.upper().replace("-", "_"))
        return None if value is None else [value]

    def keys(self, carrier: dict[str, Any]) -> list[str]:
        return [key[5:].lower().replace("_", "-") for key in carrier if key.startswith("HTTP_")]


class ScopeGetter(Getter[dict[str, Any]]):
    """As the ASGI instrumentation has it."""

    def get(self, carrier: dict[str, Any], key: str) -> list[str] | None:
        key = key.lower()
        found = [value.decode() for name, value in carrier.get("headers") or () if name.decode().lower() == key]
        return found or None

    def keys(self, carrier: dict[str, Any]) -> list[str]:
        return [name.decode().lower() for name, _ in carrier.get("headers") or ()]


def tracer(getter: Getter[Any] | None, of: Callable[[Any], Any] = lambda carrier: carrier) -> Callable[[Any], Any]:
    more = () if getter is None else (getter,)

    def run(carrier: Any) -> dict[str, str]:
        outbound: dict[str, str] = {}
        # The getter is the third argument, behind the context.
        context = PROPAGATOR.extract(of(carrier), None, *more)
        PROPAGATOR.inject(outbound, context)
        return outbound

    return run


def forward() -> Callable[[Any], Any]:
    """Make a propagator for one path alone: a service has one kind of server."""
    return onward.Propagator().get_forward_headers


def paths(lines: list[tuple[str, str]]) -> dict[str, tuple[list[Any], dict[str, Callable[[Any], Any]]]]:
    environs = [environ(lines) for _ in range(RING)]
    scopes = [scope(lines) for _ in range(RING)]
    by_environ, by_scope = tracer(EnvironGetter()), tracer(ScopeGetter())
    proxied = {
        "onward": forward(),
        "hand_written": by_headers,
        "opentelemetry": tracer(EnvironGetter(), lambda request: request.environ),
    }
    return {
        "WSGI environ": (
            environs,
            {"onward": forward(), "hand_written": lambda _: by_headers(flask.request), "opentelemetry": by_environ},
        ),
        "WSGI environ, prefix rules": (
            environs,
            {"onward": PREFIXED.get_forward_headers, "pure_python": by_keys_and_prefixes},
        ),
        "flask.request": ([flask.request] * RING, proxied),
        "ASGI scope": (
            scopes,
            {
                "onward": forward(),
                "hand_written": lambda scope: by_headers(Request(scope)),
                "opentelemetry": by_scope,
            },
        ),
        "Starlette request": (
            [Request(one) for one in scopes],
            {
                "onward": forward(),
                "hand_written": by_headers,
                "opentelemetry": tracer(ScopeGetter(), lambda request: request.scope),
            },
        ),
        "dict": (
            [plain(lines) for _ in range(RING)],
            {"onward": forward(), "hand_written": by_get, "opentelemetry": tracer(None)},
        ),
    }


def once(function: Callable[[Any], Any], ring: list[Any], laps: int) -> float:
    """Nanoseconds for one call, of this thread's processor: time that went to other programs does not count."""
    clock = time.thread_time
    start = clock()
    for _ in range(laps):
        for carrier in ring:
            function(carrier)
    return (clock() - start) / (laps * len(ring)) * 1e9


def laps_for(function: Callable[[Any], Any], ring: list[Any]) -> int:
    """Find how many laps take about four milliseconds."""
    once(function, ring, 4)
    return max(1, int(4e6 / (once(function, ring, 8) * len(ring))))


def measure(ring: list[Any], contenders: dict[str, Callable[[Any], Any]], rounds: int) -> dict[str, float]:
    laps = {name: laps_for(function, ring) for name, function in contenders.items()}
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, function in contenders.items():
            taken[name].append(once(function, ring, laps[name]))
    return {name: statistics.median(times) for name, times in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="Onward against the hand-written loop and OpenTelemetry.")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    arguments = parser.parse_args()
    app = flask.Flask("bench")
    results = []
    for fixture, lines in (("S", S), ("L", L)):
        with app.request_context(environ(lines)):
            for path, (ring, contenders) in paths(lines).items():
                assert contenders["onward"](ring[0]), path
                gc.collect()
                median = measure(ring, contenders, arguments.rounds)
                ratios = {name: round(ns / median["onward"], 2) for name, ns in median.items() if name != "onward"}
                nanoseconds = {name: round(ns, 1) for name, ns in median.items()}
                results.append({"path": path, "fixture": fixture, "ns": nanoseconds, "ratio": ratios})
    if arguments.json:
        python = f"{platform.python_implementation()} {platform.python_version()}"
        json.dump({"python": python, "rounds": arguments.rounds, "results": results}, sys.stdout)
        print()
        return
    print(f"{'path':28}{'':3}{'onward':>10}{'hand-written':>16}{'pure Python':>14}{'OpenTelemetry':>16}")
    for row in results:
        ratio = {name: f"{value:.1f}x" for name, value in row["ratio"].items()}
        cells = (ratio.get(name, "") for name in ("hand_written", "pure_python", "opentelemetry"))
        print(f"{row['path']:28}{row['fixture']:3}{row['ns']['onward']:7.0f} ns" + "{:>16}{:>14}{:>16}".format(*cells))


if __name__ == "__main__":
    main()

"""Measures Onward against the loop that everybody writes, and against OpenTelemetry's propagators.

    python benches/bench.py [--rounds 25] [--json]

All contenders of a path run in turn, round by round, in this one process; a ratio is that of their medians. Numbers
from a debug build mean nothing: install the package with pip, or with `maturin develop --release`.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import platform
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import carriers
import clients
import flask
from fixtures import L, S, environ

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


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


@contextlib.contextmanager
def process_of(contender: str) -> Iterator[None]:
    """Have what a process with this contender has imported.

    Where OpenTelemetry is, Onward asks for the current span: `onward_beside` does. A service that would forward by the
    loop, or by OpenTelemetry's propagators, needs nothing but Onward: `onward` measures that.
    """
    name = "opentelemetry.context"
    module = sys.modules[name]
    if contender == "onward":
        del sys.modules[name]
    try:
        yield
    finally:
        sys.modules[name] = module


def measure(ring: list[Any], contenders: dict[str, Callable[[Any], Any]], rounds: int) -> dict[str, float]:
    laps = {name: laps_for(function, ring) for name, function in contenders.items()}
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, function in contenders.items():
            with process_of(name):
                taken[name].append(once(function, ring, laps[name]))
    return {name: statistics.median(times) for name, times in taken.items()}


# What a process that has loaded neither pays before its first request.
IMPORTS = {
    "onward": "import onward",
    "opentelemetry": "import opentelemetry.propagate, opentelemetry.propagators.b3, opentelemetry.baggage.propagation",
}


def imports(rounds: int) -> dict[str, float]:
    """Nanoseconds of the processor for an import, each in a process of its own."""
    program = "import time; start = time.process_time(); {}; print(time.process_time() - start)"
    taken: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for _ in range(rounds):
        for name, statement in IMPORTS.items():
            run = subprocess.run(
                [sys.executable, "-c", program.format(statement)], capture_output=True, text=True, check=True
            )
            taken[name].append(float(run.stdout) * 1e9)
    return {name: statistics.median(times) for name, times in taken.items()}


def result(path: str, fixture: str, median: dict[str, float]) -> dict[str, Any]:
    ratios = {name: round(ns / median["onward"], 2) for name, ns in median.items() if not name.startswith("onward")}
    return {
        "path": path,
        "fixture": fixture,
        "ns": {name: round(ns, 1) for name, ns in median.items()},
        "ratio": ratios,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Onward against the hand-written loop and OpenTelemetry.")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    arguments = parser.parse_args()
    app = flask.Flask("bench")
    results = [result("import", "S", imports(min(arguments.rounds, 15)))]
    for fixture, lines in (("S", S), ("L", L)):
        with app.request_context(environ(lines)):
            for path, (ring, contenders) in carriers.paths(lines).items():
                assert contenders["onward"](ring[0]), path
                gc.collect()
                results.append(result(path, fixture, measure(ring, contenders, arguments.rounds)))
            with clients.answering() as url:
                for client in clients.CLIENTS:
                    gc.collect()
                    results.append(
                        result(f"a call by {client}", fixture, clients.measure(client, url, arguments.rounds))
                    )
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

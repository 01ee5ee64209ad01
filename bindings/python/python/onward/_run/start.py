"""What happens at the start of every Python process below `onward-run`, before the program's own code."""

from __future__ import annotations

import functools
import os
import sys

from onward import _hook
from onward._instrument import instrument
from onward._native import default
from onward.servers._seams import SERVERS

# Set by `onward-run --explain`, for all processes below it.
EXPLAIN = "ONWARD_RUN_EXPLAIN"

VARIABLES = {"ONWARD_PRESETS", "ONWARD_HEADERS", "ONWARD_MESH_HOSTS", "ONWARD_TRACE_DESTINATIONS"}

# What `onward-run` puts on the path.
FOLDER = __file__.removesuffix("start.py") + "path"


@functools.cache
def start() -> None:
    """Instrument clients and servers, once, and tell about it if that was asked for."""
    if os.environ.get(EXPLAIN):
        tell(" ".join(sys.orig_argv))
        settings = [f"{name}={value}" for name, value in sorted(os.environ.items()) if name in VARIABLES and value]
        tell(f"policy: {' '.join(settings) or 'the preset istio, which is the default'}")
        tell(f"forwards {', '.join(default().names)}")
        _hook.observers.append(_hooked)
    instrument(servers=True)


def before_opentelemetry() -> None:
    """Start where `opentelemetry-instrument` has put its folder in front of ours, so that only its own is imported.

    It calls this, an entry point, before it instruments anything, in programs that are not below `onward-run` too.
    """
    if FOLDER in os.environ.get("PYTHONPATH", "").split(os.pathsep):
        try:
            start()
        except Exception as error:  # noqa: BLE001 - OpenTelemetry goes on without
            if os.environ.get(EXPLAIN):
                tell(f"not active in {sys.executable}: {error!r}")


def tell(line: str) -> None:
    """Write a line to stderr, with the process that it is about."""
    sys.stderr.write(f"onward-run[{os.getpid()}]: {line}\n")
    sys.stderr.flush()


def _hooked(hook: _hook.Hook, failure: Exception | None) -> None:
    kind = "server" if hook in SERVERS else "client"
    tell(f"{kind} hooked: {hook.name}" if failure is None else f"{kind} NOT hooked: {hook.name}: {failure!r}")

"""What happens at the start of every Python process below `onward-run`, before the program's own code."""

from __future__ import annotations

import os
import sys

from onward import _hook
from onward._instrument import instrument
from onward._native import default
from onward.servers._seams import SERVERS

# Set by `onward-run --explain`, for all processes below it.
EXPLAIN = "ONWARD_RUN_EXPLAIN"

VARIABLES = {"ONWARD_PRESETS", "ONWARD_HEADERS", "ONWARD_MESH_HOSTS", "ONWARD_TRACE_DESTINATIONS"}


def start() -> None:
    """Instrument clients and servers, and tell about it if that was asked for."""
    if os.environ.get(EXPLAIN):
        tell(" ".join(sys.orig_argv))
        settings = [f"{name}={value}" for name, value in sorted(os.environ.items()) if name in VARIABLES and value]
        tell(f"policy: {' '.join(settings) or 'the preset istio, which is the default'}")
        tell(f"forwards {', '.join(default().names)}")
        _hook.observers.append(_hooked)
    instrument(servers=True)


def tell(line: str) -> None:
    """Write a line to stderr, with the process that it is about."""
    sys.stderr.write(f"onward-run[{os.getpid()}]: {line}\n")
    sys.stderr.flush()


def _hooked(hook: _hook.Hook, failure: Exception | None) -> None:
    kind = "server" if hook in SERVERS else "client"
    tell(f"{kind} hooked: {hook.name}" if failure is None else f"{kind} NOT hooked: {hook.name}: {failure!r}")

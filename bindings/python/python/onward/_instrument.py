"""`instrument` and `uninstrument`: libraries that carry or capture the headers by themselves."""

from __future__ import annotations

import threading

from . import clients
from .servers._seams import SERVERS

_lock = threading.RLock()


def instrument(*names: str, servers: bool = False) -> None:
    """Let outbound requests carry the headers of the request that is being handled.

    Without names, this covers every client library that Onward knows, whether it is imported yet or not; what is
    not installed is left out. Given names, only these: ``onward.instrument("requests", "http.client")``. There are
    `aiohttp`, `celery`, `grpc`, `http.client` (with it `urllib.request`), `httpx`, `requests` and `urllib3`; botocore's
    requests are left alone. With ``servers=True``, frameworks capture the headers of every request by themselves too,
    so that no handler needs a line: call it before the application is made, or start the program with ``onward-run``.
    Doing it twice does nothing more. Outside a request nothing is added.

    Raises `PolicyError` for a mistake in the environment, `ArgumentError` for a client that Onward does not know.
    """
    clients.instrument(*names)
    if servers:
        with _lock:
            for hook in SERVERS:
                hook.install()


def uninstrument(*names: str) -> None:
    """Undo `instrument`: for these client libraries, or for all and for the servers."""
    clients.uninstrument(*names)
    if not names:
        with _lock:
            for hook in SERVERS:
                hook.remove()

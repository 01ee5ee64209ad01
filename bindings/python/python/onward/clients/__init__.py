"""Client side: what adds the headers to every outbound request, one file for each library."""

from __future__ import annotations

import importlib
import threading
from typing import TYPE_CHECKING

from onward._errors import ArgumentError
from onward._hook import Hook
from onward._native import default

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


def _client(module: str, file: str) -> Hook:
    """Have a library patched by a file, as seen from this folder, that is made of it and imported no sooner."""

    def patch(library: ModuleType) -> Callable[[], None]:
        return importlib.import_module(f".{file}", __name__).patch(library)  # type: ignore[no-any-return]

    return Hook(module, patch)


_CLIENTS = {
    client.name: client
    for client in (
        _client("aiohttp", "aiohttp"),
        _client("celery", ".messages.celery"),
        _client("grpc", "grpc"),
        _client("http.client", "http_client"),
        _client("httpx", "httpx"),
        _client("requests", "requests"),
        _client("urllib3", "urllib3"),
    )
}
_lock = threading.RLock()


def instrument(*names: str) -> None:
    """Patch these libraries, or all: what `onward.instrument` does for clients."""
    clients = _chosen(names)
    default()
    with _lock:
        for client in clients:
            client.install()


def uninstrument(*names: str) -> None:
    """Undo `instrument`: for these libraries, or for all."""
    clients = _chosen(names)
    with _lock:
        for client in clients:
            client.remove()


def _chosen(names: tuple[str, ...]) -> list[Hook]:
    for name in names:
        if name not in _CLIENTS:
            message = f"`{name}` is no client that Onward instruments; write one of: {', '.join(sorted(_CLIENTS))}"
            raise ArgumentError(message, "invalid_argument", name)
    return [_CLIENTS[name] for name in names or _CLIENTS]

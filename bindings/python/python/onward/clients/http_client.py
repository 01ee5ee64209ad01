"""`http.client`, and `urllib.request` with all that sits on it. urllib3 has a way of its own, and is left alone."""

from __future__ import annotations

import functools
import sys
from http import client
from typing import TYPE_CHECKING, Any

from onward._scope import inbound, is_lost

from ._outbound import decide, lost, wrap

if TYPE_CHECKING:
    from collections.abc import Callable

# What `urllib.request` writes by itself.
_LIBRARY = {"user-agent": f"Python-urllib/{sys.version_info[0]}.{sys.version_info[1]}"}


def _send(original: Callable[..., Any], connection: Any, *args: Any, **kwargs: Any) -> Any:
    """Send a request that has all headers of its own."""
    if inbound() and not _is_urllib3(connection):
        _add(connection)
    elif is_lost() and not _is_urllib3(connection) and (url := _destination(connection)) is not None:
        with lost(url):
            return original(*args, **kwargs)
    return original(*args, **kwargs)


def _add(connection: Any) -> None:
    url = _destination(connection)
    if url is None:
        return
    buffer: list[bytes] = connection._buffer  # noqa: SLF001 - the one place where the headers are, as lines
    lines = [_parse(line) for line in buffer[1:]]
    add = decide(url, lines, _LIBRARY, object(), repeats=True).added
    names = {name for name, _ in add}
    buffer[1:] = [line for line, (name, _) in zip(buffer[1:], lines, strict=True) if name not in names]
    for name, value in add:
        connection.putheader(name, value)


def _parse(line: bytes) -> tuple[str, str]:
    name, _, value = line.decode("latin-1").partition(":")
    return name.lower(), value.strip(" ")


def _destination(connection: Any) -> str | None:
    """Give the whole URL; through a proxy it is that already. There is none where a tunnel is asked for."""
    buffer: list[bytes] = connection._buffer  # noqa: SLF001 - the line of the request comes first
    if not buffer:
        return None
    target = buffer[0].decode("latin-1").split(" ")[1]
    if not target.startswith("/"):
        return target if "://" in target else None
    tunnel = getattr(connection, "_tunnel_host", None)
    host, port = (tunnel, connection._tunnel_port) if tunnel else (connection.host, connection.port)  # noqa: SLF001
    scheme = "https" if connection.default_port == client.HTTPS_PORT else "http"
    return f"{scheme}://[{host}]:{port}{target}" if ":" in host else f"{scheme}://{host}:{port}{target}"


class HTTPConnection(client.HTTPConnection):
    """A connection that adds the headers, for a program that is not to be patched."""

    def endheaders(self, *args: Any, **kwargs: Any) -> None:
        _send(super().endheaders, self, *args, **kwargs)


class HTTPSConnection(client.HTTPSConnection):
    """A connection that adds the headers, for a program that is not to be patched."""

    def endheaders(self, *args: Any, **kwargs: Any) -> None:
        _send(super().endheaders, self, *args, **kwargs)


def patch(module: Any) -> Callable[[], None]:
    """Wrap `HTTPConnection.endheaders`, at which every request has all the headers that its caller wants."""

    def endheaders(original: Callable[..., Any], connection: Any, *args: Any, **kwargs: Any) -> Any:
        return _send(functools.partial(original, connection), connection, *args, **kwargs)

    return wrap(module.HTTPConnection, "endheaders", endheaders)


def _is_urllib3(connection: Any) -> bool:
    return any(base.__module__ == "urllib3.connection" for base in type(connection).__mro__)

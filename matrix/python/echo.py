"""Where the calls arrive: notes the headers of each, answers in HTTP/1.1, HTTP/2 and gRPC, or sends the caller on."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import threading
from typing import TYPE_CHECKING, Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

from clients import OUTSIDE

if TYPE_CHECKING:
    from collections.abc import Iterator

    Line = tuple[str, bytes]


class Visit:
    """One call that is to arrive."""

    def __init__(self, number: int, port: int) -> None:
        self.number = number
        self._port = port

    def url(self, host: str = "127.0.0.1") -> str:
        """Give the call's URL at a host name or address."""
        return f"http://{host}:{self._port}/echo/{self.number}"

    def redirect(self) -> str:
        """Give a URL in the mesh that redirects to the one outside of it."""
        return f"http://127.0.0.1:{self._port}/away/{self.number}"

    def answer(self) -> str:
        """Give what the echo answers with."""
        return f"echo {self.number}"


class Echo:
    """A server; `running` starts it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._numbers = itertools.count(1)
        self._seen: dict[str, list[Line]] = {}

    def visit(self) -> Visit:
        """Expect a new call."""
        return Visit(next(self._numbers), self._port)

    def arrived(self, visit: Visit) -> list[Line] | None:
        """Give the lines that arrived with this call, if it arrived."""
        return self._seen.pop(str(visit.number), None)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve a request, as an ASGI application."""
        if scope["type"] != "http":
            return
        lines = [(name.decode(), value) for name, value in scope["headers"]]
        grpc = dict(lines).get("content-type", b"").startswith(b"application/grpc")
        while (await receive()).get("more_body"):
            pass
        # Connections that a client keeps would outlive the server. HTTP/2 knows no such header.
        close = [] if scope["http_version"] == "2" else [(b"connection", b"close")]
        _, what, number = scope["path"].split("/")
        if what == "away":
            location = f"http://{OUTSIDE}:{self._port}/echo/{number}".encode()
            headers = [(b"location", location), (b"content-length", b"0"), *close]
            await send({"type": "http.response.start", "status": 302, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        self._seen[number] = lines
        text = f"echo {number}".encode()
        headers = [(b"content-type", b"application/grpc" if grpc else b"text/plain"), *close]
        await send({"type": "http.response.start", "status": 200, "headers": headers, "trailers": grpc})
        await send({"type": "http.response.body", "body": _message(text) if grpc else text})
        if grpc:
            await send({"type": "http.response.trailers", "headers": [(b"grpc-status", b"0")]})


def _message(text: bytes) -> bytes:
    """Give a gRPC message with one field, a text: protobuf's `StringValue`."""
    field = bytes([0x0A, len(text)]) + text
    return b"\0" + len(field).to_bytes(4, "big") + field


@contextlib.contextmanager
def running() -> Iterator[Echo]:
    """Run the echo on loopback, in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    echo = Echo(listener.getsockname()[1])
    config = Config()
    # Hypercorn takes the listening socket over, and closes it.
    config.bind = [f"fd://{listener.detach()}"]
    config.errorlog = config.accesslog = None
    app: Any = echo
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(
        target=loop.run_until_complete, args=[serve(app, config, shutdown_trigger=stop.wait)], daemon=True
    )
    thread.start()
    try:
        yield echo
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()

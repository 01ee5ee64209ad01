"""Real servers on loopback, and what they were sent."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import threading
import wsgiref.simple_server
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import StreamRequestHandler, ThreadingMixIn, ThreadingTCPServer
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Recorder:
    """A server that keeps the header lines of every request; it redirects, or asks once for a password, where told to."""

    def __init__(self) -> None:
        self.received: list[tuple[str, list[tuple[str, str]]]] = []
        self.redirects: dict[str, str] = {}
        self.challenges: dict[str, str] = {}
        self.before_answering: Callable[[str], object] | None = None
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                recorder.received.append((self.path, [(name.lower(), value) for name, value in self.headers.items()]))
                if recorder.before_answering is not None:
                    recorder.before_answering(self.path)
                target = recorder.redirects.get(self.path)
                challenge = recorder.challenges.pop(self.path, None)
                self.send_response(401 if challenge else 302 if target else 200)
                if target:
                    self.send_header("Location", target)
                if challenge:
                    self.send_header("WWW-Authenticate", challenge)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def headers(self, path: str) -> list[dict[str, str]]:
        """Of every request for a path, with repeated lines checked to be none."""
        found = [lines for received, lines in self.received if received == path]
        for lines in found:
            assert len(lines) == len({name for name, _ in lines}), lines
        return [dict(lines) for lines in found]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class HeadRecorder:
    """A server that keeps the bytes of every request up to its body, answers and hangs up."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []
        recorder = self

        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                lines = [self.rfile.readline()]
                while lines[-1] not in (b"\r\n", b""):
                    lines.append(self.rfile.readline())
                recorder.heads.append(b"".join(lines))
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

        self.server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def lines(self) -> list[bytes]:
        """Of the request that came last."""
        return self.heads[-1].removesuffix(b"\r\n\r\n").split(b"\r\n")

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class _ThreadingWSGIServer(ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True


class _QuietHandler(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@contextlib.contextmanager
def serve_wsgi(app: Callable) -> Iterator[int]:
    server = wsgiref.simple_server.make_server("127.0.0.1", 0, app, _ThreadingWSGIServer, _QuietHandler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def serve_asgi(app: Callable) -> Iterator[int]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    # From here on connections wait until the server takes them.
    listener.listen(128)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


class RecorderApp:
    """An ASGI application that keeps each request's version, headers and body."""

    def __init__(self) -> None:
        self.received: list[tuple[str, dict[str, str], bytes]] = []

    async def __call__(self, scope, receive, send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        assert len(dict(headers)) == len(headers)
        self.received.append((scope["http_version"], dict(headers), body))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})


def get(port: int, path: str, lines: list[tuple[str, str]]) -> tuple[int, bytes]:
    """One request with exactly these header lines."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        return get_on(connection, path, lines)
    finally:
        connection.close()


def get_on(connection: http.client.HTTPConnection, path: str, lines: list[tuple[str, str]]) -> tuple[int, bytes]:
    connection.putrequest("GET", path, skip_accept_encoding=True)
    for name, value in lines:
        if name != "host":
            connection.putheader(name, value.encode("latin-1"))
    connection.endheaders()
    response = connection.getresponse()
    return response.status, response.read()

"""A productpage under test, between a client and stub upstreams that all speak real HTTP on loopback."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socketserver
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

from werkzeug.serving import BaseWSGIServer, make_server

from explicit import create_app
from productpage import QuietHandler

Lines = list[tuple[str, str]]

# How soon a server notices that a test is over.
POLL_SECONDS = 0.01

DETAILS = (
    '{"id":0,"author":"William Shakespeare","year":1595,"type":"paperback","pages":200,"publisher":"PublisherA",'
    '"language":"English","ISBN-10":"1234567890","ISBN-13":"123-1234567890"}'
)
REVIEWS = (
    '{"id":"0","podname":"reviews-v3","clustername":"null","reviews":['
    '{"reviewer":"Reviewer1","text":"Entertaining!","rating":{"stars":5,"color":"red"}},'
    '{"reviewer":"Reviewer2","text":"Fun, but thin.","rating":{"stars":4,"color":"red"}}]}'
)
RATINGS = '{"id":0,"ratings":{"Reviewer1":5,"Reviewer2":4}}'


@dataclass
class Call:
    """One request as it arrived: header names in lower case, values as Latin-1 text, nothing joined or trimmed."""

    path: str
    headers: Lines

    def only(self, names: set[str]) -> Lines:
        return sorted((name, value) for name, value in self.headers if name in names)


@dataclass
class Stub:
    """An upstream that keeps what it was sent; `statuses` are used up first, `status` serves the rest."""

    body: str
    status: int = 200
    statuses: list[int] = field(default_factory=list)
    silent: bool = False
    calls: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        stub, self.released = self, threading.Event()

        class Handler(socketserver.StreamRequestHandler):
            # No http.server here: its parser would touch the header lines.
            def handle(self) -> None:
                path = self.rfile.readline().decode("latin-1").split(" ")[1]
                headers: Lines = []
                while line := self.rfile.readline().decode("latin-1").removesuffix("\r\n"):
                    name, value = line.split(": ", 1)
                    headers.append((name.lower(), value))
                stub.calls.append(Call(path, headers))
                if stub.silent:
                    stub.released.wait()
                    return
                status = stub.statuses.pop(0) if stub.statuses else stub.status
                body = stub.body.encode()
                head = f"HTTP/1.1 {status} -\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
                self.wfile.write(head.encode() + body)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 128

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(POLL_SECONDS,), daemon=True).start()

    def stop(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Response:
    status: int
    headers: Lines
    body: str

    def header(self, name: str) -> str:
        return ", ".join(value for key, value in self.headers if key.lower() == name)


FOLDER = Path(__file__).parents[1]


class Shop:
    """productpage with its three upstreams: in its explicit form, or as it is, started by a command."""

    def __init__(self, *command: str) -> None:
        self._command = command
        self._process: subprocess.Popen[str] | None = None
        self.details = Stub(DETAILS)
        self.reviews = Stub(REVIEWS)
        self.ratings = Stub(RATINGS)
        self.env: dict[str, str] = {}
        for name in ("details", "reviews", "ratings"):
            self.env[f"{name.upper()}_HOSTNAME"] = "127.0.0.1"
            self.env[f"{name.upper()}_SERVICE_PORT"] = str(getattr(self, name).port)
        self._server: BaseWSGIServer | None = None

    def _port(self) -> int:
        if self._command:
            if self._process is None:
                self._process = start(*self._command, "productpage.py", "0", **self.env)
                self._process_port = port_from(self._process, r"^productpage ready on http://127\.0\.0\.1:(\d+)$")
            return self._process_port
        if self._server is None:
            app = create_app(self.env)
            self._server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
            threading.Thread(target=self._server.serve_forever, args=(POLL_SECONDS,), daemon=True).start()
        return self._server.port

    def get(self, path: str, headers: Lines | None = None) -> Response:
        return exchange(self._port(), "GET", path, headers or [])

    def post(self, path: str, headers: Lines, body: str = "") -> Response:
        return exchange(self._port(), "POST", path, headers, body)

    def login(self, user: str) -> str:
        """Logs in, and gives the session's cookie as a client sends it."""
        response = self.post("/login", [("content-type", "application/x-www-form-urlencoded")], f"username={user}")
        return response.header("set-cookie").split(";")[0]

    def stop(self) -> None:
        for server in (self.details, self.reviews, self.ratings):
            server.stop()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        if self._process is not None:
            stop(self._process)


def start(*command: str, **variables: str) -> subprocess.Popen[str]:
    """Starts a command in productpage's folder."""
    return subprocess.Popen(
        command,
        cwd=FOLDER,
        env={**os.environ, "HOST": "127.0.0.1", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def port_from(process: subprocess.Popen[str], pattern: str) -> int:
    """The port in the first line that has `pattern`."""
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if found := re.search(pattern, line):
            return int(found[1])
    raise AssertionError("".join(seen))


def stop(process: subprocess.Popen[str]) -> int:
    """Ends a process as an orchestrator does, and gives its exit status."""
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    return process.returncode


def exchange(port: int, method: str, path: str, headers: Lines, body: str = "") -> Response:
    """One request with exactly these header lines, besides `host`, `connection` and `content-length`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in [*headers, ("connection", "close"), ("content-length", str(len(body)))]:
            connection.putheader(name, value.encode("latin-1"))
        connection.endheaders(body.encode())
        response = connection.getresponse()
        return Response(response.status, response.getheaders(), response.read().decode())
    finally:
        connection.close()

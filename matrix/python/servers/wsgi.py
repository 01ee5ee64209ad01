"""WSGI without a framework."""

from __future__ import annotations

import contextlib
import socketserver
import threading
import wsgiref.simple_server
from typing import TYPE_CHECKING, Any

import onward

from .server import Answer, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    App = Callable[[dict[str, Any], Any], Iterable[bytes]]


class _ThreadingServer(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True


class _QuietHandler(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@contextlib.contextmanager
def serving(app: App) -> Iterator[int]:
    """Serve a WSGI application on loopback."""
    server = wsgiref.simple_server.make_server("127.0.0.1", 0, app, _ThreadingServer, _QuietHandler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def start(answer: Answer) -> contextlib.AbstractContextManager[int]:
    """Start one whose routes are applications of their own."""

    def plain(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [answer.call(environ["QUERY_STRING"]).encode()]

    routes: dict[str, App] = {
        "/attribute": onward.propagate(plain),
        "/middleware": onward.WSGIMiddleware(plain),
        "/bare": plain,
    }

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return routes[environ["PATH_INFO"]](environ, start_response)

    return serving(app)


SERVERS = (Server("WSGI", start),)

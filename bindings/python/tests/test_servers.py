"""Every framework on a real server, asked by real requests, its handlers calling on.

The applications are the matrix's: each answers with what its own outbound call gave it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import queue
import subprocess
import sys
import threading
import urllib.parse

import ask
import cheroot.wsgi
import echo
import flask
import inbound
import onward
import pytest
import requests
import servers
import servers.sanic
import tornado.httpserver
import tornado.web
import websockets.sync.client
from clients.client import Blocking
from headers import BOOKINFO
from loopback import get
from onward.servers.flask import Onward as FlaskOnward
from onward.servers.sanic import Onward
from onward.servers.tornado import Middleware
from servers import Answer
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

# Beside the routes that all of them have: other kinds of handlers, and what runs when a handler is done.
ROUTES = {
    "Flask": ["/attribute/async", "/attribute/class"],
    "Django, WSGI": ["/attribute/class", "/attribute/rest"],
    "Django, ASGI": ["/attribute/class", "/attribute/rest"],
    "Starlette": ["/attribute/sync", "/attribute/class", "/middleware/background"],
    "FastAPI": ["/attribute/sync", "/middleware/sync", "/middleware/background"],
    "aiohttp": ["/attribute/class"],
    "Tornado": [],
    "Sanic": ["/attribute/class"],
    "Quart": ["/attribute/sync", "/attribute/class", "/middleware/background"],
    "Litestar": ["/attribute/sync", "/attribute/class", "/middleware/background"],
    "Falcon, WSGI": [],
    "Falcon, ASGI": [],
    "Bottle": [],
    "Pyramid": ["/attribute/class"],
}
FRAMEWORKS = [server for server in servers.ALL if server.name in ROUTES]
assert len(FRAMEWORKS) == len(ROUTES)
SOCKETS = {
    "Starlette": ["/attribute/websocket", "/middleware/websocket"],
    "aiohttp": ["/attribute/websocket", "/middleware/websocket"],
    "Tornado": ["/middleware/websocket"],
    "Sanic": ["/attribute/websocket", "/middleware/websocket"],
    "Quart": ["/attribute/websocket", "/middleware/websocket"],
}


class Requests(Blocking):
    """The client of all handlers; tells which calls are done."""

    def __init__(self) -> None:
        self.done: queue.Queue[str] = queue.Queue()

    def get(self, url, headers):
        try:
            return requests.get(url, headers=headers, timeout=20).text
        finally:
            self.done.put(url)


@pytest.fixture(scope="module")
def destination():
    onward.instrument("requests")
    try:
        with echo.running() as running:
            yield running
    finally:
        onward.uninstrument("requests")


@pytest.fixture(scope="module")
def client():
    return Requests()


@pytest.fixture(scope="module", params=FRAMEWORKS, ids=lambda framework: framework.name)
def framework(request):
    return request.param


@pytest.fixture(scope="module")
def port(framework, client):
    with framework.start(Answer(client)) as port:
        yield port


def port_of(framework, port: int, route: str) -> int:
    return servers.sanic.port_of(port, route) if framework.name == "Sanic" else port


def arrived(destination, visit) -> dict[str, bytes]:
    lines = destination.arrived(visit)
    assert lines is not None, "the handler has made no call"
    return inbound.relevant(lines, "")


EVERYTHING = inbound.joined(inbound.FORWARDED)


def test_handlers_of_every_kind_forward_all_headers(framework, port, client, destination) -> None:
    routes = ["/attribute", "/middleware", "/middleware/streamed", "/middleware/failed", *ROUTES[framework.name]]
    for route in routes:
        visit = destination.visit()
        text = framework.ask(port, route, visit.url())
        assert text == ("later" if route.endswith("background") else visit.answer()), route
        while client.done.get(timeout=20) != visit.url():
            pass
        assert arrived(destination, visit) == EVERYTHING, route


def test_without_decorator_and_middleware_nothing_is_forwarded(framework, port, destination) -> None:
    visit = destination.visit()
    assert framework.ask(port, "/bare", visit.url()) == visit.answer()
    assert arrived(destination, visit) == {}


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning")
@pytest.mark.parametrize(
    ("start", "views"),
    [(servers.django.start, servers.django.Async), (servers.django.start_asgi, servers.django.Sync)],
    ids=["coroutines under WSGI", "functions under ASGI"],
)
def test_django_runs_views_of_the_other_kind_in_scope_too(start, views, client, destination) -> None:
    with start(Answer(client), views) as port:
        for route in ("/attribute", "/attribute/class", "/middleware", "/middleware/streamed", "/middleware/failed"):
            visit = destination.visit()
            assert ask.over_http(port, route, visit.url()) == visit.answer(), route
            assert arrived(destination, visit) == EVERYTHING, route


@pytest.mark.parametrize(
    "framework", [server for server in FRAMEWORKS if server.name in SOCKETS], ids=lambda it: it.name
)
def test_a_websockets_handler_forwards_what_the_handshake_brought(framework, client, destination) -> None:
    # What is beyond ASCII each version of the client library writes in another way.
    lines = [(name, value.decode()) for name, value in inbound.LINES if value.isascii()]
    with framework.start(Answer(client)) as port:
        for route in SOCKETS[framework.name]:
            visit = destination.visit()
            with websockets.sync.client.connect(
                f"ws://127.0.0.1:{port_of(framework, port, route)}{route}",
                additional_headers=lines,
                user_agent_header=None,
                compression=None,
                proxy=None,
            ) as socket:
                socket.send(urllib.parse.urlencode({"to": visit.url()}))
                assert socket.recv(timeout=20) == visit.answer(), route
            assert arrived(destination, visit) | {"end-user": b"jas\xc3\xb6n"} == EVERYTHING, route


# Every value a byte of each kind: `\xe9` is one byte, and no UTF-8.
LINES = [*BOOKINFO[:-1], ("jwt", "caf\xe9 \xc3\xa9"), ("accept", "*/*"), ("x-forwarded-for", "1.2.3.4")]


def test_by_hand_each_request_object_gives_its_headers_to_the_byte(port) -> None:
    status, body = get(port, "/explicit", [(name.title(), value) for name, value in LINES])
    assert status == 200, body
    assert json.loads(body) == dict(BOOKINFO[:-1]) | {"jwt": "caf\xe9 \xc3\xa9"}


def test_by_hand_repeated_lines_are_joined(framework, port) -> None:
    lines = [("tracestate", "a=1"), ("cookie", "c=3"), ("tracestate", "b=2"), ("cookie", "d=4")]
    _, body = get(port, "/explicit", lines)
    # The standard library's WSGI server has joined the cookies before anybody sees them.
    cookie = "c=3,d=4" if framework.start.__module__.endswith(("flask", "bottle", "pyramid")) else "c=3; d=4"
    cookie = "c=3,d=4" if framework.name.endswith("WSGI") else cookie
    assert json.loads(body) == {"tracestate": "a=1,b=2", "cookie": cookie}


@contextlib.contextmanager
def serving_in_one_thread(app):
    """A WSGI server that keeps its connections, and has one thread for all of them."""
    server = cheroot.wsgi.Server(("127.0.0.1", 0), app, numthreads=1)
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server.bind_addr[1]
    finally:
        server.stop()
        thread.join()


def left_behind(port: int, route: str, destination) -> dict[str, bytes]:
    """Ask for a route, and then over the same connection for /bare without a header; give what the second call had."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    calls = []
    try:
        for path, lines in ((route, inbound.LINES), ("/bare", [])):
            visit = destination.visit()
            connection.putrequest("GET", f"{path}?{urllib.parse.urlencode({'to': visit.url()})}")
            for name, value in lines:
                connection.putheader(name, value)
            connection.endheaders()
            socket = connection.sock
            assert connection.getresponse().read().decode() == visit.answer()
            assert connection.sock is socket is not None, "the connection was not kept"
            calls.append(arrived(destination, visit))
    finally:
        connection.close()
    assert calls[0]["x-request-id"] == b"7f6c1d4e-5a3b-4c2d-8e1f-0a9b8c7d6e5f"
    return calls[1]


def test_the_scope_ends_with_the_response(framework, client, destination, monkeypatch) -> None:
    monkeypatch.setattr(servers.wsgi, "serving", serving_in_one_thread)
    with framework.start(Answer(client)) as port:
        for route in ("/attribute", "/middleware", "/middleware/streamed", "/middleware/failed"):
            assert left_behind(port_of(framework, port, route), route, destination) == {}, route


@pytest.mark.parametrize(
    ("start", "forgotten", "route"),
    [
        (servers.flask.start, "onward.servers.wsgi.leave", "/middleware"),
        (servers.flask.start, "onward.servers.wsgi._leave", "/middleware/streamed"),
        (servers.django.start, "onward.servers.django.leave", "/middleware"),
        (servers.bottle.start, "onward._scope.leave", "/attribute"),
    ],
)
def test_the_negative_control_a_scope_that_nobody_leaves_is_seen(start, forgotten, route, monkeypatch, request) -> None:
    monkeypatch.setattr(servers.wsgi, "serving", serving_in_one_thread)
    monkeypatch.setattr(forgotten, lambda token: None)
    with start(Answer(request.getfixturevalue("client"))) as port:
        left = left_behind(port, route, request.getfixturevalue("destination"))
    # This server keeps the last of repeated lines.
    assert left == EVERYTHING | {"tracestate": b"congo=t61rcWkgMzE"}


@pytest.mark.parametrize("leaves", [True, False], ids=["scope", "negative control"])
def test_sanic_has_left_the_scope_when_the_next_request_of_a_connection_begins(
    leaves, client, destination, monkeypatch
) -> None:
    if not leaves:
        monkeypatch.setattr(Onward, "_leave", Onward._enter)
    app = servers.sanic.application(Answer(client))
    Onward(app)
    seen = []

    async def look(**_) -> None:
        seen.append(dict(onward.current()))

    app.add_signal(look, "http.lifecycle.read_head")
    with servers.sanic.serving(app) as port:
        for route in ("/middleware", "/middleware/streamed", "/middleware/failed"):
            left_behind(port, route, destination)
    assert len(seen) == 6
    assert (seen == [{}] * 6) is leaves


def test_flasks_extension_comes_once_and_takes_a_policy_of_its_own() -> None:
    app = flask.Flask(__name__)
    extension = FlaskOnward(propagator=onward.Propagator(presets="w3c"))
    extension.init_app(app)
    covered = app.wsgi_app
    extension.init_app(app)
    FlaskOnward(app)
    assert app.wsgi_app is covered
    assert app.extensions["onward"] is extension

    @app.get("/")
    def handler():
        return dict(onward.current())

    headers = {"X-Request-Id": "7", "Cookie": "a=b"}
    assert app.test_client(use_cookies=False).get("/", headers=headers).json == {"x-request-id": "7"}


def test_around_starlette_the_middleware_covers_the_handler_of_what_nobody_handles_too(destination, client) -> None:
    """Starlette runs that one outside of the middleware that was added to it."""

    async def failed(_request):
        raise LookupError

    async def handled(request, _error):
        return PlainTextResponse(await Answer(client).acall(request.url.query))

    def app():
        return Starlette(routes=[Route("/", failed)], exception_handlers={Exception: handled})

    added = app()
    added.add_middleware(onward.ASGIMiddleware)
    for covered, expected in ((onward.ASGIMiddleware(app()), EVERYTHING), (added, {})):
        visit = destination.visit()
        with servers.asgi.serving(covered) as port, contextlib.suppress(ConnectionError):
            ask.over_http(port, "/", visit.url())
        assert arrived(destination, visit) == expected


@tornado.web.stream_request_body
class Uploaded(tornado.web.RequestHandler):
    """A handler that is told of its request's body piece by piece."""

    def initialize(self, seen):
        self.seen = seen

    async def prepare(self):
        self.seen.append(("prepare", dict(onward.current())))

    def data_received(self, chunk):
        self.seen.append((chunk, dict(onward.current())))

    def post(self):
        self.seen.append(("post", dict(onward.current())))


def test_tornado_tells_a_handler_of_its_requests_body_in_scope() -> None:
    seen = []

    @contextlib.asynccontextmanager
    async def serve(listener):
        server = tornado.httpserver.HTTPServer(Middleware(tornado.web.Application([("/", Uploaded, {"seen": seen})])))
        server.add_socket(listener)
        yield
        server.stop()
        await server.close_all_connections()

    with servers.loop.serving(serve) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("POST", "/", b"body", {"X-Request-Id": "7"})
        assert connection.getresponse().status == 200
        connection.close()
    assert seen == [(what, {"x-request-id": "7"}) for what in ("prepare", b"body", "post")]


FIRST = r"""
import http.client, socket, sys
import servers
from servers import Answer

for framework in servers.ALL:
    if framework.name in sys.argv:
        with framework.start(Answer(None)) as port, socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"GET /explicit HTTP/1.0\r\n\r\n")
            response = http.client.HTTPResponse(connection)
            response.begin()
            print(framework.name, response.read().decode().strip())
"""


def test_a_first_request_without_a_header_has_none_to_forward() -> None:
    """In a process of its own, which has not met any framework's request before."""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FIRST, *ROUTES],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert sorted(run.stdout.split("\n")) == sorted(["", *(f"{name} {{}}" for name in ROUTES)]), run.stderr

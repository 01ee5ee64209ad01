"""Rule R11: headers of one request never reach another. Each test has its negative control."""

from __future__ import annotations

import asyncio
import concurrent.futures
import http.client
import json
import threading
import time

import flask
import onward
import pytest
import requests
import starlette.applications
import starlette.middleware
import starlette.responses
import starlette.routing
from loopback import Recorder, get_on, serve_asgi, serve_wsgi

CLIENTS, REQUESTS = 8, 60


def inbound(number: int) -> list[tuple[str, str]]:
    return [("x-request-id", f"r{number}"), ("cookie", f"c{number}"), ("traceparent", f"t{number}")]


def expected(number: int) -> dict[str, str]:
    return {"x-request-id": f"r{number}", "traceparent": f"t{number}", "cookie": f"c{number}"}


def drive(port: int, path: str) -> int:
    """Send requests over keep-alive connections at the same time; give how many answers are another request's."""
    mixed = []

    def client(start: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for number in range(start, start + REQUESTS):
            # Every third request carries nothing, and must be given nothing.
            lines = inbound(number) if number % 3 else []
            _, body = get_on(connection, path, lines)
            if json.loads(body) != (expected(number) if lines else {}):
                mixed.append(number)
        connection.close()

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(client, range(0, CLIENTS * REQUESTS, REQUESTS)))
    return len(mixed)


class Leaky:
    """The negative control: one place for all requests."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}


@pytest.mark.parametrize("leaky", [False, True], ids=["scope", "negative control"])
def test_threads_of_a_server_keep_their_requests_apart(leaky: bool) -> None:
    app = flask.Flask(__name__)
    shared = Leaky()

    @app.get("/")
    @onward.propagate
    def handler():
        shared.headers = dict(onward.current())
        time.sleep(0.001)
        if flask.request.headers.get("x-request-id", "r0").endswith("7") and not leaky:
            onward.current().inject({}, "http://ratings/")
        return json.dumps(shared.headers if leaky else dict(onward.current()))

    with serve_wsgi(app) as port:
        assert (drive(port, "/") > 0) is leaky


@pytest.mark.parametrize("leaky", [False, True], ids=["scope", "negative control"])
def test_tasks_of_a_server_keep_their_requests_apart(leaky: bool) -> None:
    shared = Leaky()

    async def handler(request):
        shared.headers = dict(onward.current())
        await asyncio.sleep(0.001)
        inner = asyncio.create_task(later())
        return starlette.responses.JSONResponse(await inner)

    async def later():
        await asyncio.sleep(0)
        return shared.headers if leaky else dict(onward.current())

    app = starlette.applications.Starlette(
        routes=[starlette.routing.Route("/", handler)],
        middleware=[starlette.middleware.Middleware(onward.ASGIMiddleware)],
    )
    with serve_asgi(app) as port:
        assert (drive(port, "/") > 0) is leaky


async def test_thousands_of_interleaved_tasks_keep_their_requests_apart() -> None:
    @onward.propagate
    async def handler(scope, number: int) -> bool:
        for _ in range(3):
            await asyncio.sleep(0)
            if dict(onward.current()) != expected(number):
                return False
        if number % 5 == 0:
            raise LookupError
        return True

    def scope(number: int) -> dict:
        pairs = [(name.encode(), value.encode()) for name, value in inbound(number)]
        return {"type": "http", "headers": pairs}

    calls = [handler(scope(number), number) for number in range(4000)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert results.count(True) == 3200
    assert sum(isinstance(result, LookupError) for result in results) == 800
    assert dict(onward.current()) == {}


def test_pooled_threads_keep_nothing_after_an_error() -> None:
    @onward.propagate
    def handler(environ, number: int) -> bool:
        time.sleep(0)
        if dict(onward.current()) != expected(number):
            return False
        if number % 2:
            raise LookupError
        return True

    def work(number: int) -> bool:
        environ = {"REQUEST_METHOD": "GET"} | {
            "HTTP_" + name.upper().replace("-", "_"): value for name, value in inbound(number)
        }
        try:
            right = handler(environ, number)
        except LookupError:
            right = True
        return right and dict(onward.current()) == {}

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(4000)))


def test_pooled_connections_carry_each_requests_own_headers() -> None:
    """One session, and with it one pool of connections, for all requests."""
    server = Recorder()
    onward.instrument()
    session = requests.Session()
    barrier = threading.Barrier(8)

    def work(worker: int) -> None:
        barrier.wait()
        for number in range(worker * 100, worker * 100 + 40):
            with onward.scope(inbound(number)):
                session.get(f"{server.url}/{number}")
            session.get(f"{server.url}/none")

    try:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
    finally:
        onward.uninstrument()
        session.close()
        server.close()
    assert len(server.received) == 8 * 40 * 2
    for path, lines in server.received:
        ours = {name: value for name, value in lines if name in {"x-request-id", "traceparent", "cookie"}}
        assert ours == ({} if path == "/none" else expected(int(path[1:])))

"""`aiohttp`'s client: middlewares, cookies, retries, proxies, uploads and web sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading

import aiohttp
import onward
import pytest
from aiohttp import web
from headers import BOOKINFO, EVERYTHING, TRACE_ONLY, forwarded
from onward.clients.aiohttp import ClientRequest


@pytest.fixture(params=[False, True], ids=["instrumented", "explicit"])
def session(request):
    """Makes sessions."""
    if request.param:
        yield lambda **options: aiohttp.ClientSession(request_class=ClientRequest, **options)
    else:
        onward.instrument("aiohttp")
        yield aiohttp.ClientSession
        onward.uninstrument()


async def test_what_a_middleware_sets_is_the_callers(session, server) -> None:
    async def middleware(request, handler):
        seen.append(dict(request.headers))
        request.headers["Traceparent"] = "mine"
        return await handler(request)

    seen: list[dict[str, str]] = []
    with onward.scope(BOOKINFO):
        async with session(middlewares=[middleware]) as client:
            await client.get(f"{server.url}/ratings")
    (received,) = server.headers("/ratings")
    assert received["traceparent"] == "mine"
    assert "tracestate" not in received
    assert received["cookie"] == EVERYTHING["cookie"]
    assert "Cookie" not in seen[0]


async def test_a_middleware_that_asks_again_finds_its_request_as_it_was(session, server) -> None:
    async def twice(request, handler):
        before = dict(request.headers)
        await handler(request)
        assert dict(request.headers) == before
        with onward.scope([("x-request-id", "second")]):
            return await handler(request)

    with onward.scope(BOOKINFO):
        async with session(middlewares=[twice]) as client:
            await client.get(f"{server.url}/ratings")
    sent = [forwarded(received) for received in server.headers("/ratings")]
    assert sent == [EVERYTHING, {"x-request-id": "second"}]


async def test_cookies_of_the_session_are_the_callers(session, server) -> None:
    with onward.scope(BOOKINFO):
        async with session(cookies={"mine": "1"}, cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
            await client.get(f"{server.url}/ratings")
    (received,) = server.headers("/ratings")
    assert received["cookie"] == "mine=1"
    assert received["jwt"] == EVERYTHING["jwt"]


async def test_headers_of_the_session_are_the_callers_and_stay_as_they_are(session, server, outside) -> None:
    server.redirects["/inside"] = f"{outside}/outside"
    with onward.scope(BOOKINFO):
        async with session(headers={"User-Agent": "mine/1"}) as client:
            async with client.get(f"{server.url}/inside") as response:
                assert str(response.url) == f"{outside}/outside"
            assert dict(client.headers) == {"User-Agent": "mine/1"}
    assert [received["user-agent"] for received in server.headers("/inside")] == ["mine/1"]
    (received,) = server.headers("/outside")
    assert {**forwarded(received), "user-agent": None} == {**TRACE_ONLY, "user-agent": None}


async def test_through_a_proxy_the_target_counts_and_not_the_proxy(session, server) -> None:
    with onward.scope(BOOKINFO):
        async with session() as client:
            await client.get("http://ratings:9080/0", proxy=server.url)
            await client.get("http://api.example.com/0", proxy=server.url)
    assert [forwarded(received) for received in server.headers("http://ratings:9080/0")] == [EVERYTHING]
    assert [forwarded(received) for received in server.headers("http://api.example.com/0")] == [TRACE_ONLY]


async def test_a_proxy_that_is_asked_for_a_tunnel_gets_nothing(session, heads) -> None:
    """The proxy answers 200 and hangs up, so that the call itself fails."""
    with onward.scope(BOOKINFO):
        async with session() as client:
            with contextlib.suppress(aiohttp.ClientError):
                await client.get("https://ratings:9080/0", proxy=heads.url)
    (head,) = heads.heads
    assert head.startswith(b"CONNECT ratings:9080 HTTP/1.1\r\n")
    assert EVERYTHING["x-request-id"].encode() not in head
    assert b"Mozilla" not in head


def read_head(stream) -> bytes:
    lines = [stream.readline()]
    while lines[-1] not in (b"\r\n", b""):
        lines.append(stream.readline())
    return b"".join(lines)


@contextlib.contextmanager
def serve_and_hang_up():
    """Answers the first request of each connection, and hangs up at the second."""
    listener = socket.create_server(("127.0.0.1", 0))
    heads: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                heads.append(read_head(stream))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                heads.append(read_head(stream))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], heads
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


async def test_a_request_that_aiohttp_sends_again_on_a_new_connection_is_the_same(session) -> None:
    with serve_and_hang_up() as (port, heads):
        async with session() as client:
            for number in range(2):
                with onward.scope([("x-request-id", f"r{number}"), ("end-user", "caf\xe9")]):
                    async with client.get(f"http://127.0.0.1:{port}/"):
                        pass
    first, second, again, nothing = heads
    assert nothing == b""
    assert b"x-request-id: r0\r\nend-user: caf\xe9\r\n" in first
    assert b"x-request-id: r1\r\nend-user: caf\xe9\r\n" in second
    assert again == second


async def upload(request: web.Request) -> web.StreamResponse:
    if request.headers.get("Upgrade") == "websocket":
        sockets = web.WebSocketResponse()
        await sockets.prepare(request)
        await sockets.send_json([dict(forwarded({k.lower(): v for k, v in request.headers.items()})), ""])
        await sockets.close()
        return sockets
    lines = {name.lower(): value for name, value in request.headers.items()}
    body = (await request.read()).decode()
    return web.json_response([forwarded(lines), request.headers.get("end-user"), body])


async def pieces():
    yield b"one "
    await asyncio.sleep(0)
    yield b"two"


async def test_uploads_and_web_sockets_carry_the_headers(session) -> None:
    app = web.Application()
    app.router.add_route("*", "/", upload)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    try:
        with onward.scope(BOOKINFO):
            async with session() as client:
                for data, expected in ((pieces(), "one two"), (b"x" * 100_000, "x" * 100_000), ({"a": "1"}, "a=1")):
                    async with client.post(url, data=data) as response:
                        assert await response.json() == [EVERYTHING, "jason", expected]
                async with client.ws_connect(url) as sockets:
                    assert (await sockets.receive_json())[0] == EVERYTHING
        # With a value that is not UTF-8 the head is written in another way.
        with onward.scope([("end-user", b"caf\xe9")]):
            async with session() as client:
                for data, expected in ((pieces(), "one two"), (b"x" * 100_000, "x" * 100_000), ({"a": "1"}, "a=1")):
                    async with client.post(url, data=data) as response:
                        user = "caf\xe9".encode("latin-1").decode("utf-8", "surrogateescape")
                        assert await response.json() == [{"end-user": user}, user, expected]
    finally:
        await runner.cleanup()


async def test_requests_at_the_same_time_over_one_session_are_not_mixed_up(session, server) -> None:
    async def handle(client: aiohttp.ClientSession, number: int) -> None:
        with onward.scope([("x-request-id", f"r{number}"), ("end-user", f"u{number}")]):
            await asyncio.gather(*(client.get(f"{server.url}/ratings") for _ in range(3)))

    async with session() as client:
        await asyncio.gather(*(handle(client, number) for number in range(5)))
    pairs = [(received["x-request-id"], received["end-user"]) for received in server.headers("/ratings")]
    assert sorted(pairs) == sorted([(f"r{number}", f"u{number}") for number in range(5)] * 3)

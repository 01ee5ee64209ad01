"""`httpx`: hooks, redirects by hand, uploads, in-process applications and HTTP/2."""

from __future__ import annotations

import asyncio
import contextlib

import httpx
import onward
import pytest
from headers import BOOKINFO, EVERYTHING, TRACE_ONLY, forwarded
from loopback import RecorderApp, serve_asgi
from onward.clients.httpx import AsyncTransport, Transport
from tls import serve_tls


@pytest.mark.parametrize("explicit", [False, True], ids=["instrumented", "explicit"])
def test_over_http2_everything_stays_as_it_is(outside, explicit) -> None:
    app = RecorderApp()
    with serve_tls(app) as (port, trust, _), contextlib.ExitStack() as stack:
        if explicit:
            client = httpx.Client(transport=Transport(httpx.HTTPTransport(verify=trust, http2=True)))
        else:
            onward.instrument("httpx")
            stack.callback(onward.uninstrument)
            client = httpx.Client(verify=trust, http2=True)
        with client, onward.scope(BOOKINFO):
            assert client.get(f"https://127.0.0.1:{port}/").http_version == "HTTP/2"
            client.get(f"https://api.example.com:{port}/")
            client.get(f"https://127.0.0.1:{port}/", headers={"User-Agent": "mine/1"})
    assert [version for version, _, _ in app.received] == ["2", "2", "2"]
    inside, outside_, mine = [headers for _, headers, _ in app.received]
    assert forwarded(inside) == EVERYTHING
    assert forwarded(outside_) == TRACE_ONLY
    assert mine["user-agent"] == "mine/1"


def test_what_an_event_hook_sets_is_the_callers(server, instrumented) -> None:
    def hook(request: httpx.Request) -> None:
        seen.append(dict(request.headers))
        request.headers["Traceparent"] = "mine"

    seen: list[dict[str, str]] = []
    with onward.scope(BOOKINFO), httpx.Client(event_hooks={"request": [hook]}) as client:
        client.get(f"{server.url}/ratings")
    (received,) = server.headers("/ratings")
    assert received["traceparent"] == "mine"
    assert "tracestate" not in received
    assert received["cookie"] == EVERYTHING["cookie"]
    assert "cookie" not in seen[0]


@pytest.mark.parametrize("explicit", [False, True], ids=["instrumented", "explicit"])
def test_a_request_can_be_sent_again_for_another_request(server, outside, explicit) -> None:
    server.redirects["/inside"] = f"{outside}/outside"
    if not explicit:
        onward.instrument("httpx")
    try:
        with httpx.Client(transport=Transport() if explicit else None) as client:
            request = client.build_request("GET", f"{server.url}/inside")
            before = dict(request.headers)
            with onward.scope(BOOKINFO):
                response = client.send(request)
                client.send(response.next_request)
            with onward.scope([("x-request-id", "second")]):
                client.send(request)
            client.send(request)
    finally:
        onward.uninstrument()
    sent = [forwarded(received) for received in server.headers("/inside")]
    assert sent == [EVERYTHING, {"x-request-id": "second"}, {}]
    assert [forwarded(received) for received in server.headers("/outside")] == [TRACE_ONLY]
    assert dict(request.headers) == before
    assert response.request is request


def test_cookies_of_the_client_are_the_callers(server, instrumented) -> None:
    with onward.scope(BOOKINFO), httpx.Client(cookies={"mine": "1"}) as client:
        client.get(f"{server.url}/ratings")
    (received,) = server.headers("/ratings")
    assert received["cookie"] == "mine=1"
    assert received["jwt"] == EVERYTHING["jwt"]


def test_an_upload_in_pieces_arrives_whole(instrumented) -> None:
    def pieces():
        yield b"one "
        yield b"two"

    app = RecorderApp()
    with serve_asgi(app) as port, onward.scope(BOOKINFO), httpx.Client() as client:
        client.post(f"http://127.0.0.1:{port}/", content=pieces())
        client.post(f"http://127.0.0.1:{port}/", content=b"whole")
    assert [body for _, _, body in app.received] == [b"one two", b"whole"]
    assert [forwarded(headers) for _, headers, _ in app.received] == [EVERYTHING, EVERYTHING]


@pytest.mark.parametrize("explicit", [False, True], ids=["instrumented", "explicit"])
async def test_an_application_in_the_same_process_is_called_with_the_headers(explicit) -> None:
    inner, outer = RecorderApp(), RecorderApp()

    async def app(scope, receive, send) -> None:
        async with httpx.AsyncClient(transport=wrapped(httpx.ASGITransport(inner))) as client:
            await client.get("http://ratings:9080/")
        await outer(scope, receive, send)

    def wrapped(transport):
        return AsyncTransport(transport) if explicit else transport

    if not explicit:
        onward.instrument("httpx")
    try:
        with onward.scope(BOOKINFO):
            async with httpx.AsyncClient(transport=wrapped(httpx.ASGITransport(app))) as client:
                await client.get("http://reviews:9080/")
                await client.get("http://api.example.com/")
    finally:
        onward.uninstrument()
    assert [forwarded(headers) for _, headers, _ in outer.received] == [EVERYTHING, TRACE_ONLY]
    assert [forwarded(headers) for _, headers, _ in inner.received] == [EVERYTHING, EVERYTHING]


async def test_requests_at_the_same_time_over_one_client_are_not_mixed_up(server, instrumented) -> None:
    async def handle(client: httpx.AsyncClient, number: int) -> None:
        with onward.scope([("x-request-id", f"r{number}"), ("end-user", f"u{number}")]):
            await asyncio.gather(*(client.get(f"{server.url}/ratings") for _ in range(3)))

    async with httpx.AsyncClient() as client:
        await asyncio.gather(*(handle(client, number) for number in range(5)))
    pairs = [(received["x-request-id"], received["end-user"]) for received in server.headers("/ratings")]
    assert sorted(pairs) == sorted([(f"r{number}", f"u{number}") for number in range(5)] * 3)


def test_through_a_proxy_the_target_counts_and_not_the_proxy(server, instrumented) -> None:
    with onward.scope(BOOKINFO), httpx.Client(proxy=server.url) as client:
        client.get("http://ratings:9080/0")
        client.get("http://api.example.com/0")
    assert [forwarded(received) for received in server.headers("http://ratings:9080/0")] == [EVERYTHING]
    assert [forwarded(received) for received in server.headers("http://api.example.com/0")] == [TRACE_ONLY]

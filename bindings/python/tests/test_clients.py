"""Every HTTP client, as in the matrix, against real servers on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import onward
import pytest
from clients import aiohttp, http_client, httpx, requests, urllib3
from headers import BOOKINFO, EVERYTHING, TRACE_ONLY, forwarded

CLIENTS = [client for library in (requests, urllib3, httpx, aiohttp, http_client) for client in library.CLIENTS]
BY_NAME = {client.name: client for client in CLIENTS}
# Those that hold one value a name.
JOINING = {"requests", "requests, `Adapter`", "any, by `inject`"}


@pytest.fixture(params=CLIENTS, ids=[client.name.replace("`", "") for client in CLIENTS])
def client(request):
    with instrumented(request.param):
        yield request.param


@contextlib.contextmanager
def instrumented(client):
    if client.instrument:
        onward.instrument(*client.instrument)
    try:
        yield
    finally:
        onward.uninstrument()


def test_there_are_fifteen_ways_to_call() -> None:
    assert len(BY_NAME) == len(CLIENTS) == 15


def test_every_header_reaches_a_service_of_the_mesh(client, server) -> None:
    with onward.scope(BOOKINFO):
        client.call(f"{server.url}/ratings")
    assert [forwarded(received) for received in server.headers("/ratings")] == [EVERYTHING]


def test_every_header_reaches_it_from_a_coroutine(client, server) -> None:
    async def handler() -> None:
        with onward.scope(BOOKINFO):
            await client.acall(f"{server.url}/ratings")

    asyncio.run(handler())
    assert [forwarded(received) for received in server.headers("/ratings")] == [EVERYTHING]


@pytest.mark.parametrize("client", [client for client in CLIENTS if client.instrument], ids=lambda client: client.name)
def test_without_instrumentation_nothing_is_forwarded(client, server) -> None:
    with onward.scope(BOOKINFO):
        client.call(f"{server.url}/ratings")
    assert [forwarded(received) for received in server.headers("/ratings")] == [{}]


@pytest.mark.parametrize("client", [client for client in CLIENTS if client.instrument], ids=lambda client: client.name)
def test_outside_a_request_the_bytes_are_those_of_the_library(client, heads) -> None:
    url = f"{heads.url}/ratings?a=b"
    client.get(url, {"X-Mine": "1"})
    with instrumented(client):
        client.get(url, {"X-Mine": "1"})
        with onward.scope(BOOKINFO):
            client.get(url, {"X-Mine": "1"})
    by_itself, without_a_request, within_a_request = heads.heads
    assert without_a_request == by_itself
    assert within_a_request != by_itself


def test_only_trace_headers_leave_the_mesh(client, server, outside) -> None:
    with onward.scope(BOOKINFO):
        client.call(f"{outside}/books")
    (received,) = server.headers("/books")
    assert received["host"].startswith("api.example.com:")
    assert forwarded(received) == TRACE_ONLY


def test_a_redirect_out_of_the_mesh_takes_off_what_may_not_go_there(client, server, outside) -> None:
    server.redirects["/inside"] = f"{outside}/outside"
    with onward.scope(BOOKINFO):
        client.call(f"{server.url}/inside")
    assert [forwarded(received) for received in server.headers("/inside")] == [EVERYTHING]
    assert [forwarded(received) for received in server.headers("/outside")] == ([TRACE_ONLY] if client.follows else [])


def test_a_redirect_within_the_mesh_keeps_everything(client, server) -> None:
    server.redirects["/first"] = f"http://localhost:{server.port}/second"
    with onward.scope(BOOKINFO):
        client.call(f"{server.url}/first")
    assert [forwarded(received) for received in server.headers("/second")] == ([EVERYTHING] if client.follows else [])


def test_a_redirect_back_into_the_mesh_has_everything_again(client, server, outside) -> None:
    server.redirects["/first"] = f"{server.url}/second"
    with onward.scope(BOOKINFO):
        client.call(f"{outside}/first")
    assert [forwarded(received) for received in server.headers("/first")] == [TRACE_ONLY]
    assert [forwarded(received) for received in server.headers("/second")] == ([EVERYTHING] if client.follows else [])


def test_a_callers_credential_that_a_redirect_takes_off_is_not_replaced_by_the_users(client, server) -> None:
    """Most libraries take `Authorization` off when the host changes; that does not make room for the inbound one."""
    server.redirects["/first"] = f"http://localhost:{server.port}/second"
    with onward.scope(BOOKINFO):
        client.get(f"{server.url}/first", {"Authorization": "Basic mine"})
        client.call(f"{server.url}/unrelated")
    assert server.headers("/first")[0]["authorization"] == "Basic mine"
    assert server.headers("/unrelated")[0]["authorization"] == EVERYTHING["authorization"]
    for received in server.headers("/second"):
        assert received.get("authorization") == ("Basic mine" if "urllib.request" in client.name else None)
        assert received["x-request-id"] == EVERYTHING["x-request-id"]
    assert len(server.headers("/second")) == client.follows


def test_the_caller_wins_with_the_whole_family(client, server) -> None:
    with onward.scope(BOOKINFO):
        client.get(f"{server.url}/ratings", {"X-B3-TraceId": "mine", "Cookie": "mine=1"})
    (received,) = server.headers("/ratings")
    assert {name: value for name, value in received.items() if name.startswith("x-b3-")} == {"x-b3-traceid": "mine"}
    assert received["cookie"] == "mine=1"
    assert received["traceparent"] == EVERYTHING["traceparent"]


def test_a_user_agent_that_the_caller_has_set_wins(client, server) -> None:
    with onward.scope(BOOKINFO):
        client.get(f"{server.url}/ratings", {"User-Agent": "mine/1"})
    (received,) = server.headers("/ratings")
    assert received["user-agent"] == "mine/1"


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("", {"Authorization": "AWS4-HMAC-SHA256 Credential=x"}),
        ("", {"Authorization": "AWS key:signature"}),
        ("?X-Amz-Signature=abc", {}),
    ],
)
def test_a_signed_request_is_left_alone(client, server, query, headers) -> None:
    with onward.scope(BOOKINFO):
        client.get(f"{server.url}/bucket{query}", headers)
    (received,) = server.headers(f"/bucket{query}")
    assert forwarded(received) == {name.lower(): value for name, value in headers.items()}


def test_values_leave_byte_for_byte_and_names_in_lower_case(client, heads) -> None:
    inbound = [
        (b"X-Request-Id", b"latin-1 caf\xe9"),
        (b"baggage", b"utf-8 caf\xc3\xa9"),
        (b"end-user", b"a  b\tc, \xff"),
    ]
    with onward.scope(inbound):
        client.call(f"{heads.url}/ratings")
    lines = heads.lines()
    assert b"x-request-id: latin-1 caf\xe9" in lines
    assert b"baggage: utf-8 caf\xc3\xa9" in lines
    assert b"end-user: a  b\tc, \xff" in lines


def test_repeated_lines_stay_lines_where_the_library_can_hold_them(client, heads) -> None:
    with onward.scope([("tracestate", "a=1"), ("cookie", "a=1"), ("tracestate", "b=2"), ("cookie", "b=2")]):
        client.call(f"{heads.url}/ratings")
    sent = [line for line in heads.lines() if line.startswith((b"tracestate", b"cookie"))]
    if client.name in JOINING:
        assert sent == [b"tracestate: a=1,b=2", b"cookie: a=1; b=2"]
    else:
        assert sent == [b"tracestate: a=1", b"tracestate: b=2", b"cookie: a=1", b"cookie: b=2"]


def test_explicit_and_instrumented_together_add_nothing_twice(client, server, outside) -> None:
    onward.instrument()
    server.redirects["/inside"] = f"{outside}/outside"
    server.redirects["/first"] = f"http://localhost:{server.port}/second"
    with onward.scope(BOOKINFO):
        client.call(f"{server.url}/inside")
        client.get(f"{server.url}/first", {"Authorization": "Basic mine"})
    # That no line is there twice, the server has checked.
    if client.follows:
        assert [forwarded(received) for received in server.headers("/inside")] == [EVERYTHING]
        assert [forwarded(received) for received in server.headers("/outside")] == [TRACE_ONLY]
        (received,) = server.headers("/second")
        assert received.get("authorization") != EVERYTHING["authorization"]
        assert received["x-request-id"] == EVERYTHING["x-request-id"]


def test_requests_in_many_threads_are_not_mixed_up(client, server) -> None:
    start = threading.Barrier(4)

    def handle(number: int) -> None:
        start.wait()
        for _ in range(3):
            with onward.scope([("x-request-id", f"r{number}"), ("end-user", f"u{number}")]):
                client.call(f"{server.url}/ratings")

    threads = [threading.Thread(target=handle, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pairs = [(received["x-request-id"], received["end-user"]) for received in server.headers("/ratings")]
    assert sorted(pairs) == sorted([(f"r{number}", f"u{number}") for number in range(4)] * 3)

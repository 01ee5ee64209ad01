"""`requests` against real servers on loopback.

Loopback is always in the mesh. A destination outside it is a name under a public top-level domain, which the tests
resolve to loopback by answering `socket.getaddrinfo` themselves: the request really leaves for `api.example.com`, with
that name in its URL and its `Host`, and ends at a server that records it.
"""

from __future__ import annotations

import socket
import threading

import onward
import pytest
import requests
from headers import BOOKINFO, CONTEXT_AND_CREDENTIALS
from loopback import Recorder

EVERYTHING = dict(BOOKINFO)
TRACE_ONLY = {name: value for name, value in EVERYTHING.items() if name not in CONTEXT_AND_CREDENTIALS}


@pytest.fixture
def server():
    recorder = Recorder()
    yield recorder
    recorder.close()


@pytest.fixture
def outside(monkeypatch, server):
    real = socket.getaddrinfo

    def answer(host, *args, **kwargs):
        return real("127.0.0.1" if host.endswith(".example.com") else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return f"http://api.example.com:{server.port}"


@pytest.fixture
def instrumented():
    onward.instrument()
    yield
    onward.uninstrument()


def ours(received: dict[str, str]) -> dict[str, str]:
    """What of a received request can be forwarded, without what requests and urllib3 set by themselves."""
    return {
        name: value
        for name, value in received.items()
        if name in EVERYTHING and not value.startswith(("python-requests/", "python-urllib3/"))
    }


@pytest.mark.usefixtures("instrumented")
def test_every_header_reaches_a_service_of_the_mesh(server) -> None:
    with onward.scope(BOOKINFO):
        requests.get(f"{server.url}/ratings")
        session = requests.Session()
        session.get(f"{server.url}/ratings")
    assert [ours(received) for received in server.headers("/ratings")] == [EVERYTHING, EVERYTHING]


def test_without_instrumentation_nothing_is_forwarded(server) -> None:
    with onward.scope(BOOKINFO):
        requests.get(f"{server.url}/ratings")
    assert [ours(received) for received in server.headers("/ratings")] == [{}]


@pytest.mark.usefixtures("instrumented")
def test_outside_a_request_nothing_is_forwarded(server) -> None:
    requests.get(f"{server.url}/ratings")
    (received,) = server.headers("/ratings")
    assert ours(received) == {}
    assert received["user-agent"] == requests.utils.default_user_agent()


@pytest.mark.usefixtures("instrumented")
def test_only_trace_headers_leave_the_mesh(server, outside) -> None:
    with onward.scope(BOOKINFO):
        requests.get(f"{outside}/books")
    (received,) = server.headers("/books")
    assert received["host"].startswith("api.example.com:")
    assert ours(received) == TRACE_ONLY
    assert received["user-agent"] == requests.utils.default_user_agent()


@pytest.mark.usefixtures("instrumented")
def test_a_redirect_out_of_the_mesh_takes_off_what_may_not_go_there(server, outside) -> None:
    server.redirects["/inside"] = f"{outside}/outside"
    with onward.scope(BOOKINFO):
        response = requests.get(f"{server.url}/inside")
    assert [ours(received) for received in server.headers("/inside")] == [EVERYTHING]
    (received,) = server.headers("/outside")
    assert ours(received) == TRACE_ONLY
    assert received["user-agent"] == requests.utils.default_user_agent()
    assert response.url == f"{outside}/outside"


@pytest.mark.usefixtures("instrumented")
def test_a_redirect_followed_by_hand_is_guarded_too(server, outside) -> None:
    server.redirects["/inside"] = f"{outside}/outside"
    session = requests.Session()
    with onward.scope(BOOKINFO):
        response = session.get(f"{server.url}/inside", allow_redirects=False)
        session.send(response.next)
    assert [ours(received) for received in server.headers("/outside")] == [TRACE_ONLY]


@pytest.mark.usefixtures("instrumented")
def test_a_redirect_followed_after_the_request_has_nothing_left_of_it(server, outside) -> None:
    server.redirects["/inside"] = f"{outside}/outside"
    session = requests.Session()
    with onward.scope(BOOKINFO):
        response = session.get(f"{server.url}/inside", allow_redirects=False)
    session.send(response.next)
    assert [ours(received) for received in server.headers("/outside")] == [{}]


@pytest.mark.usefixtures("instrumented")
def test_a_redirect_within_the_mesh_keeps_everything(server) -> None:
    server.redirects["/first"] = f"http://localhost:{server.port}/second"
    with onward.scope(BOOKINFO):
        requests.get(f"{server.url}/first")
    assert [ours(received) for received in server.headers("/second")] == [EVERYTHING]


@pytest.mark.usefixtures("instrumented")
def test_a_callers_credential_that_a_redirect_takes_off_is_not_replaced_by_the_users(server) -> None:
    """requests takes `Authorization` off when the host changes; that does not make room for the inbound one."""
    server.redirects["/first"] = f"http://localhost:{server.port}/second"
    with onward.scope(BOOKINFO):
        requests.get(f"{server.url}/first", headers={"Authorization": "Basic mine"})
    assert server.headers("/first")[0]["authorization"] == "Basic mine"
    (received,) = server.headers("/second")
    assert "authorization" not in received
    assert received["x-request-id"] == EVERYTHING["x-request-id"]


@pytest.mark.usefixtures("instrumented")
def test_the_caller_wins_with_the_whole_family(server) -> None:
    with onward.scope(BOOKINFO):
        requests.get(f"{server.url}/ratings", headers={"X-B3-TraceId": "mine", "Cookie": "mine=1"})
    (received,) = server.headers("/ratings")
    assert {name: value for name, value in received.items() if name.startswith("x-b3-")} == {"x-b3-traceid": "mine"}
    assert received["cookie"] == "mine=1"
    assert received["traceparent"] == EVERYTHING["traceparent"]


@pytest.mark.usefixtures("instrumented")
def test_a_user_agent_of_the_call_or_of_the_session_is_the_callers(server) -> None:
    session = requests.Session()
    session.headers["User-Agent"] = "session/1"
    with onward.scope(BOOKINFO):
        requests.get(f"{server.url}/ratings", headers={"user-agent": "call/1"})
        session.get(f"{server.url}/ratings")
        requests.get(f"{server.url}/ratings")
    assert [received["user-agent"] for received in server.headers("/ratings")] == ["call/1", "session/1", "Mozilla/5.0"]


@pytest.mark.usefixtures("instrumented")
def test_a_prepared_request_can_be_sent_again_for_another_request(server, outside) -> None:
    prepared = requests.Request("GET", f"{server.url}/ratings").prepare()
    before = dict(prepared.headers)
    session = requests.Session()
    with onward.scope(BOOKINFO):
        session.send(prepared)
    with onward.scope([("x-request-id", "second")]):
        session.send(prepared)
    session.send(prepared)
    assert [ours(received) for received in server.headers("/ratings")] == [EVERYTHING, {"x-request-id": "second"}, {}]
    assert dict(prepared.headers) == before
    prepared.url = f"{outside}/books"
    with onward.scope(BOOKINFO):
        session.send(prepared)
    assert [ours(received) for received in server.headers("/books")] == [TRACE_ONLY]


@pytest.mark.usefixtures("instrumented")
def test_headers_copied_from_a_sent_request_are_still_onwards(server, outside) -> None:
    with onward.scope(BOOKINFO):
        sent = requests.get(f"{server.url}/ratings").request
        requests.get(f"{outside}/books", headers=sent.headers)
    (received,) = server.headers("/books")
    assert ours(received) == TRACE_ONLY


@pytest.mark.usefixtures("instrumented")
def test_one_prepared_request_sent_by_many_threads_at_once_is_not_mixed_up(server) -> None:
    prepared = requests.Request("GET", f"{server.url}/ratings").prepare()
    start = threading.Barrier(8)

    def send(number: int) -> None:
        session = requests.Session()
        start.wait()
        for _ in range(10):
            with onward.scope([("x-request-id", f"r{number}"), ("end-user", f"u{number}")]):
                session.send(prepared)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pairs = [(received["x-request-id"][1:], received["end-user"][1:]) for received in server.headers("/ratings")]
    assert len(pairs) == 80
    assert all(one == other for one, other in pairs)


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("", {"Authorization": "AWS4-HMAC-SHA256 Credential=x"}),
        ("", {"Authorization": "AWS key:signature"}),
        ("?X-Amz-Signature=abc", {}),
    ],
)
def test_a_signed_request_is_left_alone(server, query, headers) -> None:
    with onward.scope(BOOKINFO):
        requests.get(f"{server.url}/bucket{query}", headers=headers)
    (received,) = server.headers(f"/bucket{query}")
    assert ours(received) == {name.lower(): value for name, value in headers.items()}


@pytest.mark.usefixtures("instrumented")
def test_bytes_arrive_as_they_came_in(server) -> None:
    with onward.scope([(b"x-request-id", b"caf\xe9"), (b"cookie", b"a=1"), (b"cookie", b"b=2")]):
        requests.get(f"{server.url}/ratings")
    (received,) = server.headers("/ratings")
    assert received["x-request-id"] == "caf\xe9"
    assert received["cookie"] == "a=1; b=2"


def test_instrumenting_twice_is_instrumenting_once(server) -> None:
    original = requests.Session.send
    onward.instrument()
    onward.instrument("requests")
    assert requests.Session.send is not original
    onward.uninstrument()
    assert requests.Session.send is original
    onward.uninstrument()
    assert requests.Session.send is original


def test_taken_out_from_below_another_wrapper_it_passes_everything_on(server, monkeypatch) -> None:
    onward.instrument()
    ours_below = requests.Session.send
    monkeypatch.setattr(requests.Session, "send", lambda self, request, **kwargs: ours_below(self, request, **kwargs))
    onward.uninstrument()
    with onward.scope(BOOKINFO):
        requests.get(f"{server.url}/ratings")
    assert [ours(received) for received in server.headers("/ratings")] == [{}]
    monkeypatch.undo()


def test_threads_that_instrument_at_the_same_time_patch_once() -> None:
    original = requests.Session.send
    threads = [threading.Thread(target=onward.instrument) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert requests.Session.send.__wrapped__ is original
    onward.uninstrument()
    assert requests.Session.send is original


def test_an_unknown_client_is_a_clear_error() -> None:
    with pytest.raises(onward.ArgumentError, match="write one of: aiohttp, grpc, http.client, httpx, ") as caught:
        onward.instrument("curl")
    assert (caught.value.code, caught.value.token) == ("invalid_argument", "curl")

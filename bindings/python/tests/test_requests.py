"""`requests`: prepared requests, redirects by hand, sessions and adapters."""

from __future__ import annotations

import threading

import onward
import pytest
import requests
from headers import BOOKINFO, EVERYTHING, TRACE_ONLY, forwarded
from onward.clients.requests import Adapter


@pytest.mark.usefixtures("instrumented")
def test_a_redirect_followed_by_hand_is_guarded_too(server, outside) -> None:
    server.redirects["/inside"] = f"{outside}/outside"
    session = requests.Session()
    with onward.scope(BOOKINFO):
        response = session.get(f"{server.url}/inside", allow_redirects=False)
        session.send(response.next)
    assert [forwarded(received) for received in server.headers("/outside")] == [TRACE_ONLY]


@pytest.mark.usefixtures("instrumented")
def test_a_redirect_followed_after_the_request_has_nothing_left_of_it(server, outside) -> None:
    server.redirects["/inside"] = f"{outside}/outside"
    session = requests.Session()
    with onward.scope(BOOKINFO):
        response = session.get(f"{server.url}/inside", allow_redirects=False)
    session.send(response.next)
    assert [forwarded(received) for received in server.headers("/outside")] == [{}]


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
    assert [forwarded(received) for received in server.headers("/ratings")] == [
        EVERYTHING,
        {"x-request-id": "second"},
        {},
    ]
    assert dict(prepared.headers) == before
    prepared.url = f"{outside}/books"
    with onward.scope(BOOKINFO):
        session.send(prepared)
    assert [forwarded(received) for received in server.headers("/books")] == [TRACE_ONLY]


@pytest.mark.usefixtures("instrumented")
def test_headers_copied_from_a_sent_request_are_still_onwards(server, outside) -> None:
    with onward.scope(BOOKINFO):
        sent = requests.get(f"{server.url}/ratings").request
        requests.get(f"{outside}/books", headers=sent.headers)
    (received,) = server.headers("/books")
    assert forwarded(received) == TRACE_ONLY


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


class Polite(requests.Session):
    def send(self, request, **kwargs):
        request.headers["X-Polite"] = "yes"
        return super().send(request, **kwargs)


@pytest.mark.usefixtures("instrumented")
def test_a_session_of_the_users_own_class_is_covered(server) -> None:
    with onward.scope(BOOKINFO), Polite() as session:
        session.get(f"{server.url}/ratings")
    (received,) = server.headers("/ratings")
    assert forwarded(received) == EVERYTHING
    assert received["x-polite"] == "yes"


@pytest.mark.usefixtures("instrumented")
def test_digest_authentication_asks_again_with_the_headers(server) -> None:
    server.challenges["/private"] = 'Digest realm="r", nonce="n", qop="auth"'
    with onward.scope(BOOKINFO):
        requests.get(f"{server.url}/private", auth=requests.auth.HTTPDigestAuth("me", "secret"))
    first, second = server.headers("/private")
    assert first["authorization"] == EVERYTHING["authorization"]
    assert second["authorization"].startswith('Digest username="me"')
    assert {**forwarded(second), "authorization": "-"} == {**EVERYTHING, "authorization": "-"}


def test_an_adapter_leaves_a_prepared_request_as_it_is(server, outside) -> None:
    server.redirects["/inside"] = f"{outside}/outside"
    with requests.Session() as session:
        session.mount("http://", Adapter(max_retries=1))
        prepared = session.prepare_request(requests.Request("GET", f"{server.url}/inside"))
        before = dict(prepared.headers)
        with onward.scope(BOOKINFO):
            session.send(prepared)
        with onward.scope([("x-request-id", "second")]):
            session.send(prepared)
        session.send(prepared)
    sent = [forwarded(received) for received in server.headers("/inside")]
    assert sent == [EVERYTHING, {"x-request-id": "second"}, {}]
    assert [forwarded(received) for received in server.headers("/outside")] == [
        TRACE_ONLY,
        {"x-request-id": "second"},
        {},
    ]
    assert dict(prepared.headers) == before


def test_an_adapter_passes_on_to_a_class_that_a_program_combines_it_with(server) -> None:
    class Below(requests.adapters.HTTPAdapter):
        def send(self, request, *args, **kwargs):
            seen.append(forwarded(request.headers))
            return super().send(request, *args, **kwargs)

    class Combined(Adapter, Below):
        pass

    seen = []
    session = requests.Session()
    session.mount("http://", Combined())
    with onward.scope(BOOKINFO):
        session.get(f"{server.url}/ratings")
    assert seen == [EVERYTHING]
    assert [forwarded(received) for received in server.headers("/ratings")] == [EVERYTHING]

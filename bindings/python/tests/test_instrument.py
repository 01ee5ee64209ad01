"""`instrument()` and `uninstrument()`, for every client library."""

from __future__ import annotations

import http.client
import subprocess
import sys
import threading

import aiohttp
import httpx
import onward
import pytest
import requests
import urllib3
from headers import BOOKINFO, EVERYTHING, forwarded

PATCHED = {
    "aiohttp": [(aiohttp.ClientRequest, "send")],
    "http.client": [(http.client.HTTPConnection, "endheaders")],
    "httpx": [(httpx.Client, "_send_single_request"), (httpx.AsyncClient, "_send_single_request")],
    "requests": [(requests.Session, "send")],
    "urllib3": [(urllib3.HTTPConnectionPool, "urlopen")],
}


@pytest.fixture(autouse=True)
def _clean():
    yield
    onward.uninstrument()


@pytest.fixture(params=PATCHED)
def name(request):
    return request.param


def methods(name: str) -> list[object]:
    return [vars(owner)[method] for owner, method in PATCHED[name]]


def test_instrumenting_twice_is_instrumenting_once(name) -> None:
    originals = methods(name)
    onward.instrument()
    onward.instrument(name)
    assert [method.__wrapped__ for method in methods(name)] == originals
    onward.uninstrument()
    assert methods(name) == originals
    onward.uninstrument()
    assert methods(name) == originals


def test_only_what_was_named_is_touched(name) -> None:
    others = {other: methods(other) for other in PATCHED if other != name}
    onward.instrument(name)
    assert {other: methods(other) for other in others} == others
    onward.uninstrument(*others)
    assert all(hasattr(method, "__wrapped__") for method in methods(name))


def test_a_method_keeps_its_name_and_its_words(name) -> None:
    before = [(method.__qualname__, method.__doc__) for method in methods(name)]
    onward.instrument()
    assert [(method.__qualname__, method.__doc__) for method in methods(name)] == before


def test_taken_out_from_below_another_wrapper_it_passes_everything_on(server) -> None:
    onward.instrument()
    below = requests.Session.send
    try:
        requests.Session.send = lambda self, request, **kwargs: below(self, request, **kwargs)
        onward.uninstrument()
        with onward.scope(BOOKINFO):
            requests.get(f"{server.url}/ratings")
        onward.instrument("requests")
        with onward.scope(BOOKINFO):
            requests.get(f"{server.url}/again")
    finally:
        requests.Session.send = below.__wrapped__
    assert [forwarded(received) for received in server.headers("/ratings")] == [{}]
    assert [forwarded(received) for received in server.headers("/again")] == [EVERYTHING]


def test_threads_that_instrument_at_the_same_time_patch_once(name) -> None:
    originals = methods(name)
    start = threading.Barrier(16)

    def toggle(number: int) -> None:
        start.wait()
        for _ in range(50):
            if number % 2:
                onward.uninstrument()
            onward.instrument()

    threads = [threading.Thread(target=toggle, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [method.__wrapped__ for method in methods(name)] == originals
    onward.uninstrument()
    assert methods(name) == originals


def test_requests_that_run_meanwhile_are_whole_or_bare(server) -> None:
    done = threading.Event()

    def toggle() -> None:
        while not done.is_set():
            onward.instrument("requests")
            onward.uninstrument("requests")

    thread = threading.Thread(target=toggle)
    thread.start()
    try:
        with onward.scope(BOOKINFO), requests.Session() as session:
            for _ in range(50):
                session.get(f"{server.url}/ratings")
    finally:
        done.set()
        thread.join()
    received = [forwarded(headers) for headers in server.headers("/ratings")]
    assert len(received) == 50
    assert all(headers in ({}, EVERYTHING) for headers in received)


def test_an_unknown_client_is_a_clear_error() -> None:
    with pytest.raises(onward.ArgumentError, match=r"write one of: aiohttp, .*, requests, urllib3") as caught:
        onward.instrument("curl")
    assert (caught.value.code, caught.value.token) == ("invalid_argument", "curl")


NOTHING_IS_IMPORTED = """
import sys, onward
onward.instrument()
libraries = {"aiohttp", "grpc", "http.client", "httpx", "requests", "urllib3", "urllib.request", "ssl"}
print(*sorted(libraries & set(sys.modules)))
"""

IMPORTED_LATER = """
import sys, onward
onward.instrument()
import http.client, aiohttp, httpx, requests, urllib3
for method in (
    aiohttp.ClientRequest.send,
    http.client.HTTPConnection.endheaders,
    httpx.Client._send_single_request,
    httpx.AsyncClient._send_single_request,
    requests.Session.send,
    urllib3.HTTPConnectionPool.urlopen,
):
    assert hasattr(method, "__wrapped__"), method
waiting = {finder.name for finder in sys.meta_path if hasattr(finder, "install")}
assert not waiting & {"aiohttp", "http.client", "httpx", "requests", "urllib3"}, waiting
onward.uninstrument()
assert not [finder for finder in sys.meta_path if hasattr(finder, "install")]
assert not hasattr(requests.Session.send, "__wrapped__")
"""


def run(program: str) -> str:
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout.strip()


def test_nothing_is_imported_by_instrumenting() -> None:
    assert run(NOTHING_IS_IMPORTED) == ""


def test_what_is_imported_later_is_instrumented_then() -> None:
    run(IMPORTED_LATER)

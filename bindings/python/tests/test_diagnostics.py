"""Outbound calls that were made without a scope are counted, and told of."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import re
import socket
import subprocess
import sys
import textwrap
import threading
import traceback
from pathlib import Path

import aiohttp
import clients
import grpc
import httpx
import onward
import pytest
import requests
import urllib3
from grpc_loopback import methods
from headers import BOOKINFO
from onward import diagnostics
from onward.clients.aiohttp import ClientRequest
from onward.clients.grpc import ClientInterceptor, aio_interceptors
from onward.clients.http_client import HTTPConnection
from onward.clients.httpx import AsyncTransport, Transport
from onward.clients.requests import Adapter
from onward.clients.urllib3 import PoolManager
from test_api import python


@pytest.fixture
def told():
    """The destinations of the calls without a scope, in a process that has had a request."""
    with onward.scope(BOOKINFO):
        pass
    destinations: list[str] = []
    diagnostics.on_call_without_scope(destinations.append)
    before = diagnostics.calls_without_scope()
    yield destinations
    diagnostics.on_call_without_scope(None)
    assert diagnostics.calls_without_scope() - before == len(destinations)


def in_a_thread(work) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


# All but the headers that are written by hand.
CLIENTS = [client for client in clients.ALL if "inject" not in client.name]


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_each_client_counts_in_a_thread_without_carry_and_not_with_it(client, server, echo, told, request) -> None:
    if client.instrument:
        onward.instrument(*client.instrument)
        request.addfinalizer(onward.uninstrument)
    is_grpc = client.name.startswith("grpcio")
    url = f"http://127.0.0.1:{echo}/onward.Relay/unary" if is_grpc else f"{server.url}/ratings"
    with onward.scope(BOOKINFO):
        client.call(url)
        in_a_thread(onward.carry(lambda: client.call(url)))
        assert told == []
        in_a_thread(lambda: client.call(url))
    assert told == [url.removeprefix("http://") if is_grpc else url]


@pytest.mark.usefixtures("instrumented")
def test_the_callback_sees_who_called(server, told) -> None:
    stacks = []
    diagnostics.on_call_without_scope(lambda url: (told.append(url), stacks.append(traceback.extract_stack())))

    def forgets_to_carry() -> None:
        requests.get(f"{server.url}/ratings")

    in_a_thread(forgets_to_carry)
    assert told == [f"{server.url}/ratings"]
    assert [frame.name for frame in stacks[0] if frame.filename == __file__] == ["forgets_to_carry", "<lambda>"]


def test_a_call_before_the_first_request_does_not_count(server) -> None:
    code = f"""
import onward, requests
from onward import diagnostics
onward.instrument()
diagnostics.on_call_without_scope(lambda url: print(url.rpartition("/")[2]))
onward.default().extract({{"x-request-id": "7"}})
onward.carry(lambda: requests.get("{server.url}/at-start"))()
print(diagnostics.calls_without_scope())
with onward.scope({{}}):
    requests.get("{server.url}/in-scope")
requests.get("{server.url}/later")
print(diagnostics.calls_without_scope())
"""
    assert python(code, NO_PROXY="*").splitlines() == ["0", "later", "1"]
    assert [path for path, _ in server.received] == ["/at-start", "/in-scope", "/later"]


def test_below_onward_run_a_thread_without_carry_counts(server, tmp_path) -> None:
    program = tmp_path / "program.py"
    program.write_text(f"""
import http.client, http.server, threading
import onward, requests

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        requests.get("{server.url}/handler")
        thread = threading.Thread(target=requests.get, args=("{server.url}/thread",))
        thread.start()
        thread.join()
        self.send_response(204)
        self.end_headers()

onward.diagnostics.on_call_without_scope(print)
with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as here:
    threading.Thread(target=here.serve_forever, args=(0.01,)).start()
    connection = http.client.HTTPConnection(*here.server_address)
    connection.request("GET", "/", headers={{"x-request-id": "7"}})
    connection.getresponse().read()
    here.shutdown()
print(onward.diagnostics.calls_without_scope())
""")
    run = subprocess.run(
        [sys.executable, "-m", "onward", sys.executable, str(program)],
        env=os.environ | {"NO_PROXY": "*"},
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )
    assert run.stdout.splitlines() == [f"{server.url}/thread", "1"]
    assert [headers.get("x-request-id") for path in ("/handler", "/thread") for headers in server.headers(path)] == [
        "7",
        None,
    ]


@pytest.mark.usefixtures("instrumented")
def test_each_hop_of_a_redirect_counts_once(server, told) -> None:
    server.redirects["/one"] = f"{server.url}/two"
    hops = [f"{server.url}/one", f"{server.url}/two"]
    requests.get(hops[0])
    urllib3.PoolManager().request("GET", hops[0])
    httpx.get(hops[0], follow_redirects=True)

    async def fetch() -> None:
        async with aiohttp.ClientSession() as session, session.get(hops[0]):
            pass

    asyncio.run(fetch())
    assert told == hops * 4


@pytest.mark.usefixtures("instrumented")
def test_a_call_counts_once_where_an_explicit_object_meets_the_patch(server, told) -> None:
    url = f"{server.url}/ratings"
    session = requests.Session()
    session.mount("http://", Adapter())
    session.get(url)
    PoolManager().request("GET", url)
    with httpx.Client(transport=Transport()) as client:
        client.get(url)
    connection = HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", "/ratings")
    connection.getresponse().read()
    connection.close()

    async def fetch() -> None:
        async with httpx.AsyncClient(transport=AsyncTransport()) as client:
            await client.get(url)
        async with aiohttp.ClientSession(request_class=ClientRequest) as session, session.get(url):
            pass

    asyncio.run(fetch())
    assert told == [url] * 6


@pytest.mark.usefixtures("instrumented")
def test_a_pool_that_tries_again_counts_once(told) -> None:
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        host, port = nobody_listens.getsockname()
        with pytest.raises(urllib3.exceptions.MaxRetryError):
            urllib3.HTTPConnectionPool(host, port).request("GET", "/", retries=urllib3.Retry(2, backoff_factor=0))
    assert told == [f"http://{host}:{port}/"]


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("explicit", [False, True])
def test_a_call_of_grpc_counts_once_with_its_target_and_method(echo, told, explicit) -> None:
    target = f"127.0.0.1:{echo}"
    with grpc.insecure_channel(target) as channel:
        call = methods(grpc.intercept_channel(channel, ClientInterceptor(target)) if explicit else channel)["unary"]
        with onward.scope(BOOKINFO):
            call(b"{}")
        call(b"{}")

    async def ask() -> None:
        mine = aio_interceptors(target) if explicit else None
        async with grpc.aio.insecure_channel(target, interceptors=mine) as channel:
            await methods(channel)["unary"](b"{}")

    asyncio.run(ask())
    assert told == [f"{target}/onward.Relay/unary"] * 2


@pytest.mark.usefixtures("instrumented")
def test_a_callback_may_fail_and_may_call(server, told, caplog) -> None:
    def fails(url: str) -> None:
        told.append(url)
        if len(told) == 1:
            requests.get(f"{server.url}/telling")
        raise LookupError("of the callback")

    diagnostics.on_call_without_scope(fails)
    with caplog.at_level(logging.ERROR, "onward"):
        assert requests.get(f"{server.url}/ratings").status_code == 200
    assert [path for path, _ in server.received] == ["/telling", "/ratings"]
    assert told == [f"{server.url}/ratings"]
    assert "LookupError: of the callback" in caplog.text


@pytest.mark.usefixtures("instrumented")
def test_a_call_in_a_scope_without_headers_does_not_count(server, told) -> None:
    with onward.scope({}):
        requests.get(f"{server.url}/of-its-own")
    assert told == []
    onward.carry(lambda: requests.get(f"{server.url}/carried-nothing"))()
    assert told == [f"{server.url}/carried-nothing"]


@pytest.mark.usefixtures("instrumented")
def test_the_callback_gets_no_secret_of_the_url(server, told) -> None:
    requests.get(f"http://jason:secret@127.0.0.1:{server.port}/a//b@c?signature=secret#d@e")
    assert [path for path, _ in server.received] == ["/a//b@c?signature=secret"]
    assert told == [f"{server.url}/a//b@c"]


def test_what_cannot_be_called_is_no_callback(told) -> None:
    with pytest.raises(onward.ArgumentError, match="takes a function or None, not `int`"):
        diagnostics.on_call_without_scope(3)
    with pytest.raises(onward.ArgumentError):
        diagnostics.on_call_without_scope("")
    assert told == []


def test_without_instrumentation_nothing_counts(server, told) -> None:
    requests.get(f"{server.url}/ratings")
    assert told == []


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("where", ["docs/python/scope.md", "diagnostics.py"])
def test_the_examples_of_the_page_and_of_the_module_show_the_caller(server, told, capsys, where) -> None:
    if where.endswith(".md"):
        (example,) = re.findall(r"```python\n(.*?)```", (Path(__file__).parents[3] / where).read_text(), re.DOTALL)
    else:
        _, _, example = inspect.cleandoc(diagnostics.__doc__ or "").partition("::\n\n")
        example = textwrap.dedent(example.partition("\n\nA call that")[0])
    exec(example, {})
    requests.get(f"{server.url}/ratings")
    told.append("as `tell` was")
    printed = capsys.readouterr()
    assert printed.out == f"no scope on the call to {server.url}/ratings\n"
    assert 'requests.get(f"{server.url}/ratings")' in printed.err

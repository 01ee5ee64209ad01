"""`http.client` and `urllib.request`: lines by hand, kept connections, tunnels and what sits on them."""

from __future__ import annotations

import http.client
import threading
import urllib.request
import xmlrpc.client
from xmlrpc.server import SimpleXMLRPCRequestHandler, SimpleXMLRPCServer

import onward
import pytest
from headers import BOOKINFO, EVERYTHING, TRACE_ONLY, forwarded
from onward.clients import http_client, urllib_request


@pytest.fixture(params=[False, True], ids=["instrumented", "explicit"])
def connection_class(request):
    if request.param:
        yield http_client.HTTPConnection
    else:
        onward.instrument("http.client")
        yield http.client.HTTPConnection
        onward.uninstrument()


def test_a_request_written_line_by_line_gets_what_it_lacks(connection_class, heads) -> None:
    connection = connection_class(heads.url.removeprefix("http://"))
    with onward.scope([("x-request-id", "7f6c"), ("user-agent", "Mozilla/5.0"), ("tracestate", "a=1")]):
        connection.putrequest("POST", "/ratings", skip_accept_encoding=True)
        connection.putheader("Content-Length", "4")
        connection.putheader("Traceparent", "mine", "folded")
        connection.endheaders(b"body")
    connection.getresponse().read()
    connection.close()
    assert heads.lines()[2:] == [
        b"Content-Length: 4",
        b"Traceparent: mine",
        b"\tfolded",
        b"x-request-id: 7f6c",
        b"user-agent: Mozilla/5.0",
    ]


def test_a_request_that_was_never_begun_fails_as_without_onward(connection_class) -> None:
    with onward.scope(BOOKINFO), pytest.raises(http.client.CannotSendHeader):
        connection_class("127.0.0.1", 9).endheaders()


def test_requests_on_a_kept_connection_have_their_own_headers(connection_class, server) -> None:
    connection = connection_class("127.0.0.1", server.port)
    connection.connect()
    kept = connection.sock
    for number in range(3):
        with onward.scope([("x-request-id", f"r{number}")]):
            connection.request("GET", "/ratings")
        connection.getresponse().read()
    connection.request("GET", "/ratings")
    connection.getresponse().read()
    assert connection.sock is kept
    connection.close()
    sent = [forwarded(received) for received in server.headers("/ratings")]
    assert sent == [{"x-request-id": "r0"}, {"x-request-id": "r1"}, {"x-request-id": "r2"}, {}]


@pytest.mark.parametrize("inside", [True, False])
def test_in_a_tunnel_the_target_counts_and_the_proxy_gets_nothing(connection_class, heads, inside) -> None:
    """The proxy answers, and hangs up."""
    host = "ratings" if inside else "api.example.com"
    connection = connection_class(heads.url.removeprefix("http://"))
    connection.set_tunnel(host, 9080)
    sent: list[bytes] = []
    with onward.scope(BOOKINFO):
        connection.connect()
        connection.send = sent.append
        connection.request("GET", "/0")
    connection.close()
    assert heads.lines()[0].startswith(b"CONNECT " + host.encode())
    assert EVERYTHING["x-request-id"].encode() not in heads.heads[0]
    lines = sent[0].split(b"\r\n")
    assert b"x-request-id: " + EVERYTHING["x-request-id"].encode() in lines
    assert (b"jwt: " + EVERYTHING["jwt"].encode() in lines) == inside


def test_a_tunnel_that_is_asked_for_by_hand_carries_nothing(connection_class, heads) -> None:
    connection = connection_class(heads.url.removeprefix("http://"))
    with onward.scope(BOOKINFO):
        connection.request("CONNECT", "ratings:9080")
    connection.getresponse().read()
    connection.close()
    assert heads.lines()[0] == b"CONNECT ratings:9080 HTTP/1.1"
    assert {line.split(b":")[0] for line in heads.lines()[1:]} == {b"Host", b"Accept-Encoding"}


def test_an_opener_with_a_proxy_looks_at_the_target(connection_class, server) -> None:
    handlers = [urllib_request.HTTPHandler] if connection_class is http_client.HTTPConnection else []
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": server.url}), *handlers)
    with onward.scope(BOOKINFO):
        opener.open("http://ratings:9080/0").close()
        opener.open("http://api.example.com/0").close()
    assert [forwarded(received) for received in server.headers("http://ratings:9080/0")] == [EVERYTHING]
    assert [forwarded(received) for received in server.headers("http://api.example.com/0")] == [TRACE_ONLY]


def test_an_opener_of_the_users_own_name_keeps_it(connection_class, server) -> None:
    handlers = [urllib_request.HTTPHandler] if connection_class is http_client.HTTPConnection else []
    opener = urllib.request.build_opener(*handlers)
    request = urllib.request.Request(f"{server.url}/ratings")
    with onward.scope(BOOKINFO):
        opener.open(request).close()
        opener.addheaders = [("User-agent", "mine/1")]
        opener.open(f"{server.url}/ratings").close()
    agents = [received["user-agent"] for received in server.headers("/ratings")]
    assert agents == ["Mozilla/5.0", "mine/1"]
    assert dict(request.header_items())["User-agent"].startswith("Python-urllib/")


def test_what_sits_on_http_client_is_covered() -> None:
    received: list[dict[str, str]] = []

    class Handler(SimpleXMLRPCRequestHandler):
        def do_POST(self) -> None:
            received.append({name.lower(): value for name, value in self.headers.items()})
            super().do_POST()

    server = SimpleXMLRPCServer(("127.0.0.1", 0), Handler, logRequests=False)
    server.register_function(lambda number: number + 1, "next")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    onward.instrument("http.client")
    try:
        with (
            onward.scope(BOOKINFO),
            xmlrpc.client.ServerProxy(f"http://127.0.0.1:{server.server_address[1]}") as service,
        ):
            assert service.next(1) == 2
    finally:
        onward.uninstrument()
        server.shutdown()
        server.server_close()
        thread.join()
    (headers,) = received
    assert headers["user-agent"].startswith("Python-xmlrpc/")
    assert {**forwarded(headers), "user-agent": None} == {**EVERYTHING, "user-agent": None}


def test_a_connection_passes_on_to_a_class_that_a_program_combines_it_with(server) -> None:
    class Below(http.client.HTTPConnection):
        def endheaders(self, *args, **kwargs):
            self.putheader("end-user", "below")
            super().endheaders(*args, **kwargs)

    class Combined(http_client.HTTPConnection, Below):
        pass

    connection = Combined("127.0.0.1", server.port)
    with onward.scope([("x-request-id", "7f6c")]):
        connection.request("GET", "/ratings")
    connection.getresponse().read()
    connection.close()
    assert [forwarded(received) for received in server.headers("/ratings")] == [
        {"x-request-id": "7f6c", "end-user": "below"}
    ]

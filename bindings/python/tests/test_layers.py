"""Libraries that sit on each other: the highest decides, and what is below adds nothing of its own."""

from __future__ import annotations

import functools
import http.client

import botocore
import botocore.config
import botocore.session
import onward
import pytest
import requests
import urllib3
from headers import BOOKINFO, EVERYTHING, TRACE_ONLY, forwarded
from loopback import RecorderApp, serve_asgi

pytestmark = pytest.mark.usefixtures("instrumented")


def test_a_credential_that_requests_takes_off_is_not_put_back_below(server) -> None:
    server.redirects["/first"] = f"http://localhost:{server.port}/second"
    with onward.scope([("authorization", "Bearer inbound")]):
        requests.get(f"{server.url}/first", headers={"Authorization": "Basic mine"})
    assert server.headers("/first")[0]["authorization"] == "Basic mine"
    assert "authorization" not in server.headers("/second")[0]


def test_a_request_that_requests_tries_again_is_the_same_again(heads) -> None:
    retries = urllib3.Retry(total=2, status_forcelist=[200], raise_on_status=False, backoff_factor=0)
    with (
        onward.scope([("x-request-id", "7f6c"), ("tracestate", "a=1"), ("cookie", "a=1")]),
        requests.Session() as session,
    ):
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retries))
        session.get(f"{heads.url}/ratings", headers={"Cookie": "mine=1"})
    assert len(heads.heads) == 3
    assert len(set(heads.heads)) == 1
    assert heads.heads[0].count(b"x-request-id: 7f6c") == 1


def test_a_body_that_is_made_while_it_is_sent_can_call_meanwhile(server) -> None:
    def body():
        requests.get(f"{server.url}/from-the-body")
        yield b"piece"

    app = RecorderApp()
    with serve_asgi(app) as port, onward.scope(BOOKINFO):
        requests.post(f"http://127.0.0.1:{port}/upload", data=body())
    assert [(forwarded(headers), sent) for _, headers, sent in app.received] == [(EVERYTHING, b"piece")]
    assert [forwarded(received) for received in server.headers("/from-the-body")] == [EVERYTHING]


def test_urllib3_alone_covers_what_sits_on_it(server, outside) -> None:
    onward.uninstrument()
    onward.instrument("urllib3")
    with onward.scope(BOOKINFO):
        requests.get(f"{outside}/books")
        requests.get(f"{server.url}/ratings")
    assert [forwarded(received) for received in server.headers("/books")] == [TRACE_ONLY]
    # The name that requests gives itself is to urllib3 the caller's.
    without_agent = {name: value for name, value in EVERYTHING.items() if name != "user-agent"}
    assert [forwarded(received) for received in server.headers("/ratings")] == [without_agent]


def test_http_client_leaves_urllib3_to_itself(server) -> None:
    onward.uninstrument()
    onward.instrument("http.client")
    with onward.scope(BOOKINFO):
        urllib3.PoolManager().request("GET", f"{server.url}/ratings").release_conn()
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("GET", "/plain")
        connection.getresponse().read()
        connection.close()
    assert [forwarded(received) for received in server.headers("/ratings")] == [{}]
    assert [forwarded(received) for received in server.headers("/plain")] == [EVERYTHING]


def pools_follow_redirects(manager, server, outside) -> None:
    server.redirects["/inside"] = f"{outside}/outside"
    with onward.scope(BOOKINFO):
        manager.request("GET", f"{server.url}/inside", headers={"Accept": "text/plain"})
        manager.request("GET", f"{server.url}/inside", headers={"Accept": "text/plain"})
    assert [forwarded(received) for received in server.headers("/outside")] == [TRACE_ONLY, TRACE_ONLY]
    assert {received["accept"] for received in server.headers("/outside")} == {"text/plain"}


def test_a_manager_keeps_the_callers_dict_as_it_is_and_its_connections_open(server, outside) -> None:
    headers = {"Accept": "text/plain"}
    with urllib3.PoolManager(headers=headers) as manager:
        pools_follow_redirects(manager, server, outside)
        pool = manager.connection_from_url(server.url)
        assert (pool.num_connections, pool.num_requests) == (1, 2)
    assert headers == {"Accept": "text/plain"}


def test_a_pool_by_itself_knows_where_it_goes(server, outside) -> None:
    with onward.scope(BOOKINFO):
        with urllib3.HTTPConnectionPool("api.example.com", server.port) as pool:
            pool.request("GET", "/books")
        with urllib3.HTTPConnectionPool("127.0.0.1", server.port) as pool:
            pool.request("GET", "/ratings")
    assert [forwarded(received) for received in server.headers("/books")] == [TRACE_ONLY]
    assert [forwarded(received) for received in server.headers("/ratings")] == [EVERYTHING]


@pytest.mark.parametrize("inside", [True, False])
def test_through_a_proxy_the_target_counts_and_not_the_proxy(server, inside) -> None:
    """The server takes absolute URLs as a proxy does. It is in the mesh; where the request goes is, or is not."""
    target = "http://ratings:9080/0" if inside else "http://api.example.com/0"
    calls = [
        functools.partial(requests.get, target, proxies={"http": server.url}),
        functools.partial(urllib3.ProxyManager(server.url).request, "GET", target),
    ]
    for call in calls:
        with onward.scope(BOOKINFO):
            call()
    expected = EVERYTHING if inside else TRACE_ONLY
    assert [forwarded(received) for received in server.headers(target)] == [expected, expected]


def s3(server, **config):
    session = botocore.session.Session()
    return session.create_client(
        "s3",
        region_name="us-east-1",
        endpoint_url=server.url,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
        config=botocore.config.Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, **config),
    )


@pytest.mark.parametrize("signature", ["s3v4", botocore.UNSIGNED], ids=["signed", "unsigned"])
def test_botocore_stays_untouched(server, signature) -> None:
    with onward.scope(BOOKINFO):
        client = s3(server, signature_version=signature)
        client.get_object(Bucket="bucket", Key="key")
        client.close()
        # The control: urllib3 itself is instrumented, and the same request by it carries the headers.
        urllib3.PoolManager().request("GET", f"{server.url}/bucket/key").release_conn()
    by_botocore, by_urllib3 = server.headers("/bucket/key")
    assert by_botocore["user-agent"].startswith("Botocore/")
    signed = by_botocore.get("authorization", "").startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert signed == (signature == "s3v4")
    left = {
        name: value for name, value in forwarded(by_botocore).items() if name not in {"user-agent", "authorization"}
    }
    assert left == {}
    assert forwarded(by_urllib3) == EVERYTHING

"""Every HTTP client over TLS: in the mesh, and outside of it."""

from __future__ import annotations

import asyncio
import http.client
import urllib.request
from urllib.parse import urlsplit

import aiohttp
import httpx
import onward
import pytest
import requests
import urllib3
from headers import BOOKINFO, EVERYTHING, TRACE_ONLY, forwarded
from loopback import RecorderApp
from onward.clients import aiohttp as onward_aiohttp
from onward.clients import http_client as onward_http_client
from onward.clients import httpx as onward_httpx
from onward.clients import requests as onward_requests
from onward.clients import urllib3 as onward_urllib3
from onward.clients import urllib_request as onward_urllib_request
from tls import serve_tls

# Each gets the URL, a context that trusts the server, the path of a file that does, and whether to be explicit.


def with_requests(url, trust, root, explicit) -> None:
    with requests.Session() as session:
        if explicit:
            session.mount("https://", onward_requests.Adapter())
        session.get(url, verify=root)


def with_urllib3(url, trust, root, explicit) -> None:
    manager = (onward_urllib3 if explicit else urllib3).PoolManager(ca_certs=root)
    with manager:
        manager.request("GET", url)


def with_httpx(url, trust, root, explicit) -> None:
    inner = httpx.HTTPTransport(verify=trust)
    with httpx.Client(transport=onward_httpx.Transport(inner) if explicit else inner) as client:
        client.get(url)


def with_aiohttp(url, trust, root, explicit) -> None:
    async def get() -> None:
        request_class = onward_aiohttp.ClientRequest if explicit else aiohttp.ClientRequest
        connector = aiohttp.TCPConnector(resolver=aiohttp.ThreadedResolver())
        async with aiohttp.ClientSession(connector=connector, request_class=request_class) as session:
            await session.get(url, ssl=trust)

    asyncio.run(get())


def with_http_client(url, trust, root, explicit) -> None:
    module = onward_http_client if explicit else http.client
    connection = module.HTTPSConnection(urlsplit(url).netloc, context=trust)
    connection.request("GET", "/")
    connection.getresponse().read()
    connection.close()


def with_urllib(url, trust, root, explicit) -> None:
    module = onward_urllib_request if explicit else urllib.request
    urllib.request.build_opener(module.HTTPSHandler(context=trust)).open(url).close()


@pytest.mark.parametrize("explicit", [False, True], ids=["instrumented", "explicit"])
@pytest.mark.parametrize("get", [with_requests, with_urllib3, with_httpx, with_aiohttp, with_http_client, with_urllib])
def test_over_tls_the_same_holds(outside, get, explicit) -> None:
    app = RecorderApp()
    with serve_tls(app) as (port, trust, root), onward.scope(BOOKINFO):
        if not explicit:
            get(f"https://127.0.0.1:{port}/", trust, root, explicit)
            onward.instrument()
        try:
            get(f"https://127.0.0.1:{port}/", trust, root, explicit)
            get(f"https://api.example.com:{port}/", trust, root, explicit)
        finally:
            onward.uninstrument()
    expected = [EVERYTHING, TRACE_ONLY] if explicit else [{}, EVERYTHING, TRACE_ONLY]
    assert [forwarded(headers) for _, headers, _ in app.received] == expected

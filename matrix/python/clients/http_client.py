"""urllib.request and http.client: instrumented, and with Onward's handlers and connections."""

from __future__ import annotations

import contextlib
import http.client
import urllib.error
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from onward.clients.http_client import HTTPConnection
from onward.clients.urllib_request import HTTPHandler

from .client import PATIENCE, Blocking

if TYPE_CHECKING:
    from collections.abc import Mapping


class Urllib(Blocking):
    """Nothing in the code."""

    name = "urllib.request"
    instrument: tuple[str, ...] = ("http.client",)
    handlers: tuple[type[urllib.request.BaseHandler], ...] = ()

    def get(self, url: str, headers: Mapping[str, str]) -> str:
        request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310 - the tests' own
        opener = urllib.request.build_opener(*self.handlers)
        try:
            with opener.open(request, timeout=PATIENCE) as response:
                text: bytes = response.read()
        except urllib.error.HTTPError as error:
            with error:
                text = error.read()
        return text.decode()


class UrllibExplicit(Urllib):
    """Onward's handler."""

    name = "urllib.request, `HTTPHandler`"
    instrument: tuple[str, ...] = ()
    handlers = (HTTPHandler,)


class HttpClient(Blocking):
    """Nothing in the code. It knows no redirects."""

    name = "http.client"
    instrument: tuple[str, ...] = ("http.client",)
    follows = False
    connection: type[http.client.HTTPConnection] = http.client.HTTPConnection

    def get(self, url: str, headers: Mapping[str, str]) -> str:
        parts = urlsplit(url)
        with contextlib.closing(self.connection(parts.netloc, timeout=PATIENCE)) as connection:
            connection.request("GET", parts._replace(scheme="", netloc="").geturl(), headers=dict(headers))
            return connection.getresponse().read().decode()


class HttpClientExplicit(HttpClient):
    """Onward's connection."""

    name = "http.client, `HTTPConnection`"
    instrument: tuple[str, ...] = ()
    connection = HTTPConnection


CLIENTS = (Urllib(), UrllibExplicit(), HttpClient(), HttpClientExplicit())

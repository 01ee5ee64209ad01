"""httpx: blocking and asynchronous, each instrumented, and with Onward's transport."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import httpx
from onward.clients.httpx import AsyncTransport, Transport

from .client import PATIENCE, Async, Blocking

if TYPE_CHECKING:
    from collections.abc import Mapping

# Made once: httpx would make one for every client, which takes longer than the calls.
_TLS = ssl.create_default_context()


class Instrumented(Blocking):
    """Nothing in the code."""

    name = "httpx"
    instrument: tuple[str, ...] = ("httpx",)

    def client(self) -> httpx.Client:
        """Make the client."""
        return httpx.Client(follow_redirects=True, timeout=PATIENCE, verify=_TLS)

    def get(self, url: str, headers: Mapping[str, str]) -> str:
        with self.client() as client:
            return client.get(url, headers=headers).text


class Explicit(Instrumented):
    """Onward's transport."""

    name = "httpx, `Transport`"
    instrument: tuple[str, ...] = ()

    def client(self) -> httpx.Client:
        transport = Transport(httpx.HTTPTransport(verify=_TLS))
        return httpx.Client(follow_redirects=True, timeout=PATIENCE, transport=transport)


class AsyncInstrumented(Async):
    """Nothing in the code."""

    name = "httpx, async"
    instrument: tuple[str, ...] = ("httpx",)

    def client(self) -> httpx.AsyncClient:
        """Make the client."""
        return httpx.AsyncClient(follow_redirects=True, timeout=PATIENCE, verify=_TLS)

    async def aget(self, url: str, headers: Mapping[str, str]) -> str:
        async with self.client() as client:
            return (await client.get(url, headers=headers)).text


class AsyncExplicit(AsyncInstrumented):
    """Onward's transport."""

    name = "httpx, `AsyncTransport`"
    instrument: tuple[str, ...] = ()

    def client(self) -> httpx.AsyncClient:
        transport = AsyncTransport(httpx.AsyncHTTPTransport(verify=_TLS))
        return httpx.AsyncClient(follow_redirects=True, timeout=PATIENCE, transport=transport)


CLIENTS = (Instrumented(), Explicit(), AsyncInstrumented(), AsyncExplicit())

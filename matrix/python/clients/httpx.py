"""httpx: blocking and asynchronous, each instrumented, and with Onward's transport."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
from onward.clients.httpx import AsyncTransport, Transport

from .client import PATIENCE, Async, Blocking

if TYPE_CHECKING:
    from collections.abc import Mapping


class Instrumented(Blocking):
    """Nothing in the code."""

    name = "httpx"
    instrument: tuple[str, ...] = ("httpx",)

    def client(self) -> httpx.Client:
        """Make the client."""
        return httpx.Client(follow_redirects=True, timeout=PATIENCE)

    def get(self, url: str, headers: Mapping[str, str]) -> str:
        with self.client() as client:
            return client.get(url, headers=headers).text


class Explicit(Instrumented):
    """Onward's transport."""

    name = "httpx, `Transport`"
    instrument: tuple[str, ...] = ()

    def client(self) -> httpx.Client:
        return httpx.Client(follow_redirects=True, timeout=PATIENCE, transport=Transport())


class AsyncInstrumented(Async):
    """Nothing in the code."""

    name = "httpx, async"
    instrument: tuple[str, ...] = ("httpx",)

    def client(self) -> httpx.AsyncClient:
        """Make the client."""
        return httpx.AsyncClient(follow_redirects=True, timeout=PATIENCE)

    async def aget(self, url: str, headers: Mapping[str, str]) -> str:
        async with self.client() as client:
            return (await client.get(url, headers=headers)).text


class AsyncExplicit(AsyncInstrumented):
    """Onward's transport."""

    name = "httpx, `AsyncTransport`"
    instrument: tuple[str, ...] = ()

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(follow_redirects=True, timeout=PATIENCE, transport=AsyncTransport())


CLIENTS = (Instrumented(), Explicit(), AsyncInstrumented(), AsyncExplicit())

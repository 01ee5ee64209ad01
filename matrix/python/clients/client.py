"""What a client of the matrix is."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

OUTSIDE = "api.example.com"
"""A host name outside the mesh. What counts is the name that a request goes to, not the address behind it."""

PATIENCE = 20
"""How many seconds a call may take."""


def caller_headers(url: str) -> dict[str, str]:
    """Give the headers that the program itself sets on a request to this URL: usually none."""
    return {"tracestate": "mine=1"} if "caller=wins" in url else {}


def resolve_outside() -> None:
    """Let `OUTSIDE` lead to loopback, for every client in this process."""
    ask = socket.getaddrinfo

    def answer(host: Any, *args: Any, **kwargs: Any) -> Any:
        return ask("127.0.0.1" if host in (OUTSIDE, OUTSIDE.encode()) else host, *args, **kwargs)

    socket.getaddrinfo = answer


class Client:
    """One way to use a library."""

    name: str
    """As the table shows it."""
    instrument: tuple[str, ...] = ()
    """What `onward.instrument` has to be given for it."""
    follows = True
    """Whether a redirect out of the mesh is followed, with trace headers only. Otherwise nothing may arrive there."""
    lacks: frozenset[str] = frozenset()
    """Headers of `inbound.LINES` that the protocol cannot hold."""
    appends = ""
    """What the library writes behind a forwarded `user-agent`, against everybody's wish."""

    def call(self, url: str) -> str:
        """Send a GET request, from a thread, and give the answer's text."""
        return self.get(url, caller_headers(url))

    async def acall(self, url: str) -> str:
        """Send a GET request, from a coroutine, and give the answer's text."""
        return await self.aget(url, caller_headers(url))

    def get(self, url: str, headers: Mapping[str, str]) -> str:
        """Do so with these headers of the caller's own."""
        raise NotImplementedError

    async def aget(self, url: str, headers: Mapping[str, str]) -> str:
        """Do so with these headers of the caller's own."""
        raise NotImplementedError


class Blocking(Client):
    """A library that blocks: it has `get`."""

    async def aget(self, url: str, headers: Mapping[str, str]) -> str:
        return await asyncio.to_thread(self.get, url, headers)


class Async(Client):
    """A library of coroutines: it has `aget`."""

    def get(self, url: str, headers: Mapping[str, str]) -> str:
        return asyncio.run(self.aget(url, headers))

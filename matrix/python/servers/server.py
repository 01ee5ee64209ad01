"""What a server of the matrix is."""

from __future__ import annotations

import urllib.parse
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ask

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from clients import Client


class Answer:
    """A handler's work, after its framework has taken the request apart: it calls by a client.

    `query` is the text behind `?`. A handler that is a plain function must not run on an event loop.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def call(self, query: str) -> str:
        """Give the text that a plain function answers with."""
        return self._client.call(_to(query))

    async def acall(self, query: str) -> str:
        """Give the text that a coroutine answers with."""
        return await self._client.acall(_to(query))


def _to(query: str) -> str:
    return urllib.parse.parse_qs(query, strict_parsing=True)["to"][0]


@dataclass(frozen=True)
class Server:
    """A framework, and how its server is started and asked."""

    name: str
    """As the table shows it."""
    start: Callable[[Answer], AbstractContextManager[int]]
    """Starts a server on loopback whose handlers answer with the given texts, gives its port, and stops it.

    `/attribute` is under `@onward.propagate`, `/middleware` covered by the framework's middleware, `/bare` by neither.
    """
    ask: Callable[[int, str, str], str] = ask.over_http
    """Sends `inbound.LINES` to the port, for a route and the URL that it is to call, and gives the answer's text."""
    lacks: frozenset[str] = frozenset()
    """Headers that the protocol cannot hold, or the server does not take."""

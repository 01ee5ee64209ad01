"""aiohttp: instrumented, and with Onward's class of requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
from onward.clients.aiohttp import ClientRequest

from .client import PATIENCE, Async

if TYPE_CHECKING:
    from collections.abc import Mapping


class Instrumented(Async):
    """Nothing in the code."""

    name = "aiohttp"
    instrument: tuple[str, ...] = ("aiohttp",)
    request_class: type[aiohttp.ClientRequest] = aiohttp.ClientRequest

    async def aget(self, url: str, headers: Mapping[str, str]) -> str:
        timeout = aiohttp.ClientTimeout(PATIENCE)
        # The resolver that asks `socket.getaddrinfo`, whatever else is installed.
        connector = aiohttp.TCPConnector(resolver=aiohttp.ThreadedResolver())
        async with (
            aiohttp.ClientSession(connector=connector, request_class=self.request_class, timeout=timeout) as session,
            session.get(url, headers=headers) as response,
        ):
            return await response.text()


class Explicit(Instrumented):
    """Onward's `ClientRequest`."""

    name = "aiohttp, `ClientRequest`"
    instrument: tuple[str, ...] = ()
    request_class = ClientRequest


CLIENTS = (Instrumented(), Explicit())

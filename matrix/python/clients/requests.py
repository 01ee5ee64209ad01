"""requests: instrumented, with the adapter, and with headers by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import onward
import requests
from onward.clients.requests import Adapter

from .client import PATIENCE, Blocking

if TYPE_CHECKING:
    from collections.abc import Mapping


class Instrumented(Blocking):
    """Nothing in the code."""

    name = "requests"
    instrument: tuple[str, ...] = ("requests",)

    def get(self, url: str, headers: Mapping[str, str]) -> str:
        return requests.get(url, headers=dict(headers), timeout=PATIENCE).text


class Explicit(Blocking):
    """A session with Onward's adapter."""

    name = "requests, `Adapter`"

    def get(self, url: str, headers: Mapping[str, str]) -> str:
        with requests.Session() as session:
            session.mount("http://", Adapter())
            return session.get(url, headers=dict(headers), timeout=PATIENCE).text


class ByHand(Blocking):
    """Any library: `inject` into a dict."""

    name = "any, by `inject`"
    follows = False

    def get(self, url: str, headers: Mapping[str, str]) -> str:
        outbound = dict(headers)
        onward.current().inject(outbound, url)
        return requests.get(url, headers=outbound, timeout=PATIENCE, allow_redirects=False).text


CLIENTS = (Instrumented(), Explicit(), ByHand())

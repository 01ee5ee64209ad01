"""requests: instrumented."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests

from .client import Blocking

if TYPE_CHECKING:
    from collections.abc import Mapping


class Instrumented(Blocking):
    """Nothing in the code."""

    name = "requests"
    instrument = ("requests",)

    def get(self, url: str, headers: Mapping[str, str]) -> str:
        return requests.get(url, headers=dict(headers), timeout=20).text


CLIENTS = (Instrumented(),)

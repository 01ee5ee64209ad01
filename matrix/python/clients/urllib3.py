"""urllib3: instrumented, and with Onward's manager."""

from __future__ import annotations

from typing import TYPE_CHECKING

import urllib3
from onward.clients.urllib3 import PoolManager

from .client import PATIENCE, Blocking

if TYPE_CHECKING:
    from collections.abc import Mapping


class Instrumented(Blocking):
    """Nothing in the code."""

    name = "urllib3"
    instrument: tuple[str, ...] = ("urllib3",)
    manager: type[urllib3.PoolManager] = urllib3.PoolManager

    def get(self, url: str, headers: Mapping[str, str]) -> str:
        with self.manager() as manager:
            return manager.request("GET", url, headers=dict(headers), timeout=PATIENCE).data.decode()


class Explicit(Instrumented):
    """Onward's `PoolManager`."""

    name = "urllib3, `PoolManager`"
    instrument: tuple[str, ...] = ()
    manager = PoolManager


CLIENTS = (Instrumented(), Explicit())

"""One framework with one client: the checks, and what came out."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import onward

import inbound
from clients import OUTSIDE
from echo import Visit
from inbound import Expected
from servers import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clients import Client
    from echo import Echo
    from servers import Server


@dataclass(frozen=True)
class Check:
    """What one check of a cell does."""

    name: str
    route: str
    url: Callable[[Visit], str]
    expected: Expected


def _outside(visit: Visit) -> str:
    return visit.url(OUTSIDE)


def _caller(visit: Visit) -> str:
    return visit.url() + "?caller=wins"


def _signed(visit: Visit) -> str:
    return visit.url() + "?X-Amz-Signature=0123"


CHECKS = (
    Check("decorator, in the mesh", "/attribute", Visit.url, Expected.ALL),
    Check("decorator, outside", "/attribute", _outside, Expected.TRACE),
    Check("decorator, redirected outside", "/attribute", Visit.redirect, Expected.TRACE),
    Check("decorator, the caller wins", "/attribute", _caller, Expected.CALLERS_OWN),
    Check("decorator, a signed URL", "/attribute", _signed, Expected.BARE),
    Check("middleware, in the mesh", "/middleware", Visit.url, Expected.ALL),
    Check("middleware, outside", "/middleware", _outside, Expected.TRACE),
    Check("middleware, redirected outside", "/middleware", Visit.redirect, Expected.TRACE),
    Check("neither of them", "/bare", Visit.url, Expected.BARE),
)


@dataclass
class Cell:
    """What came out: how many checks ran, and what was wrong, one sentence a check."""

    server: str
    client: str
    checks: int = 0
    failures: list[str] = field(default_factory=list)

    def passed(self) -> bool:
        """Every check ran and none failed."""
        return self.checks == len(CHECKS) and not self.failures


def run(server: Server, client: Client, echo: Echo) -> Cell:
    """Run all checks of one cell."""
    cell = Cell(server.name, client.name)
    try:
        with _instrumented(client), server.start(Answer(client)) as port:
            for check in CHECKS:
                cell.checks += 1
                problem = _one(check, server, client, port, echo)
                if problem is not None:
                    cell.failures.append(f"{check.name}: {problem}")
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this cell's failure
        cell.failures.append(f"it does not start and stop: {error!r}")
    return cell


@contextlib.contextmanager
def _instrumented(client: Client) -> Iterator[None]:
    if not client.instrument:
        yield
        return
    onward.instrument(*client.instrument)
    try:
        yield
    finally:
        onward.uninstrument(*client.instrument)


def _one(check: Check, server: Server, client: Client, port: int, echo: Echo) -> str | None:
    """Say what is wrong."""
    visit = echo.visit()
    url = check.url(visit)
    stops = url == visit.redirect() and not client.follows
    expected = (Expected.NO_REQUEST if stops else check.expected).headers(server.lacks | client.lacks)
    try:
        text = server.ask(port, check.route, url)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this check's failure
        return f"asking: {error!r}"
    if not stops and text != visit.answer():
        return f"the server answers {text!r}"
    lines = echo.arrived(visit)
    if lines is None:
        return None if expected is None else "no request arrived"
    if expected is None:
        return "a request arrived"
    return _difference(expected, inbound.relevant(lines, client.appends))


def _difference(expected: dict[str, bytes], arrived: dict[str, bytes]) -> str | None:
    found = [
        f"{what}: {name}: {value!r}"
        for what, headers, others in (("missing", expected, arrived), ("too much", arrived, expected))
        for name, value in headers.items()
        if others.get(name) != value
    ]
    return "; ".join(found) or None

"""Every cell passes, the table in the documentation says so, and a client that does something else is seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import onward
import pytest
import requests

import clients
import echo
import servers
import table
from cell import CHECKS, Cell, run
from clients.client import Blocking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

DOCUMENT = Path(__file__).resolve().parents[3] / "docs/matrix-python.md"


@pytest.fixture(scope="module")
def running() -> Iterator[echo.Echo]:
    clients.resolve_outside()
    with echo.running() as one:
        yield one


@pytest.fixture(scope="module")
def cells() -> list[Cell]:
    """What came out so far."""
    return []


@pytest.mark.parametrize("client", clients.ALL, ids=lambda client: client.name)
@pytest.mark.parametrize("server", servers.ALL, ids=lambda server: server.name)
def test_every_check_of_the_cell_passes(
    server: servers.Server, client: clients.Client, running: echo.Echo, cells: list[Cell]
) -> None:
    cells.append(run(server, client, running))
    assert cells[-1].failures == []
    assert cells[-1].checks == 9


def test_the_table_in_the_documentation_says_so(cells: list[Cell]) -> None:
    every = len(servers.ALL) * len(clients.ALL)
    assert table.summary(servers.ALL, clients.ALL, cells) == table.Summary(every, every, 0, 0)
    assert table.page(servers.ALL, clients.ALL, cells) == DOCUMENT.read_text(encoding="utf-8"), (
        "docs/matrix-python.md is out of date; run `cargo xtask matrix python`"
    )


def test_a_cell_that_did_not_run_is_empty_in_the_count_and_in_the_table() -> None:
    rows, columns = servers.ALL[:1], [clients.ALL[0], Raw(nothing)]
    failed = Cell(rows[0].name, columns[0].name, len(CHECKS), ["decorator, in the mesh: no request arrived"])
    assert table.summary(rows, columns, [failed]) == table.Summary(cells=2, passed=0, failed=1, empty=1)
    assert f"\n| **{rows[0].name}** | ✗ |  |\n" in table.page(rows, columns, [failed])


class Raw(Blocking):
    """Sends whatever headers it is told to, and takes all of them along on redirects."""

    name = "raw"

    def __init__(self, headers_for: Callable[[str, Mapping[str, str]], Mapping[str, str]]) -> None:
        self._headers_for = headers_for

    def get(self, url: str, headers: Mapping[str, str]) -> str:
        sent = dict(self._headers_for(url, headers))
        with requests.Session() as session:
            # What requests itself would take off.
            session.rebuild_auth = lambda _prepared, _response: None  # type: ignore[method-assign]
            return session.get(url, headers=sent, timeout=20).text


def nothing(_url: str, headers: Mapping[str, str]) -> Mapping[str, str]:
    return headers


def everything(_url: str, headers: Mapping[str, str]) -> Mapping[str, str]:
    return {**headers, **onward.current()}


def chosen_once(url: str, headers: Mapping[str, str]) -> Mapping[str, str]:
    sent = dict(headers)
    onward.current().inject(sent, url)
    return sent


@pytest.mark.parametrize(
    ("headers_for", "seen"),
    [
        (
            nothing,
            [
                "decorator, in the mesh",
                "decorator, outside",
                "decorator, redirected outside",
                "decorator, the caller wins",
                "middleware, in the mesh",
                "middleware, outside",
                "middleware, redirected outside",
            ],
        ),
        (
            everything,
            [
                "decorator, outside",
                "decorator, redirected outside",
                "decorator, the caller wins",
                "decorator, a signed URL",
                "middleware, outside",
                "middleware, redirected outside",
            ],
        ),
        (chosen_once, ["decorator, redirected outside", "middleware, redirected outside"]),
    ],
)
def test_a_client_that_forwards_something_else_is_seen(
    headers_for: Callable[..., Mapping[str, str]], seen: list[str], running: echo.Echo
) -> None:
    """Negative control: nothing, everything everywhere, and credentials over a redirect."""
    cell = run(servers.ALL[0], Raw(headers_for), running)
    assert [failure.split(":")[0] for failure in cell.failures] == seen

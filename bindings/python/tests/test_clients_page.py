"""The code in docs/python/clients.md runs, and calls with the headers."""

from __future__ import annotations

import asyncio
import inspect
import re
from pathlib import Path

import onward
import pytest
from headers import BOOKINFO, EVERYTHING, forwarded

PAGE = (Path(__file__).parents[3] / "docs/python/clients.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
CALLS = [block for block in BLOCKS if "ratings" in block]


def local(code: str, port: int) -> str:
    code = code.replace("http://ratings:9080", f"http://127.0.0.1:{port}")
    return code.replace('"ratings", 9080', f'"127.0.0.1", {port}')


def test_the_page_has_eight_clients_and_two_ways_to_instrument() -> None:
    assert len(CALLS) == 8
    assert len(BLOCKS) == 10


@pytest.mark.parametrize("block", CALLS, ids=[re.findall(r"import (\w+)", block)[-1] for block in CALLS])
def test_each_client_of_the_page_carries_the_headers(server, block) -> None:
    names: dict = {}
    with onward.scope(BOOKINFO):
        exec(local(block, server.port), names)
        if inspect.iscoroutinefunction(names.get("ratings")):
            asyncio.run(names["ratings"]())
    for client in ("session", "client", "http"):
        if client in names:
            getattr(names[client], "close", getattr(names[client], "clear", None))()
    assert [forwarded(received) for received in server.headers("/ratings/0")] == [EVERYTHING]


def test_the_lines_that_instrument_run() -> None:
    import requests

    original = requests.Session.send
    try:
        for block in BLOCKS[:2]:
            exec(block, {"onward": onward})
            assert requests.Session.send is not original
            onward.uninstrument()
            assert requests.Session.send is original
    finally:
        onward.uninstrument()


def test_every_object_in_the_table_is_there() -> None:
    named = re.findall(r"`(onward\.clients\.\w+)\.(\w+)`(?:, `(\w+)`)?", PAGE)
    assert len(named) == 6
    for module, *classes in named:
        for name in filter(None, classes):
            assert inspect.isclass(getattr(__import__(module, fromlist=[name]), name))

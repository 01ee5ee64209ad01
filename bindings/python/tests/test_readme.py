"""The README's code runs."""

from __future__ import annotations

import re
from pathlib import Path

import onward
import requests
from headers import BOOKINFO
from loopback import Recorder, get, serve_wsgi

README = (Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def local(code: str, server: Recorder) -> str:
    assert "http://reviews:9080" in code
    return code.replace("http://reviews:9080", server.url)


def test_the_example_by_hand_forwards_everything() -> None:
    server = Recorder()
    try:
        exec(local(BLOCKS[0], server), {"request": dict(BOOKINFO), "requests": requests})
    finally:
        server.close()
    (received,) = server.headers("/reviews/0")
    assert dict(BOOKINFO).items() <= received.items()


def test_the_example_that_does_it_by_itself_forwards_everything() -> None:
    server = Recorder()
    names: dict = {"__name__": "productpage"}
    try:
        exec(local(BLOCKS[1], server), names)
        with serve_wsgi(names["app"].wsgi_app) as port:
            get(port, "/productpage", BOOKINFO)
    finally:
        onward.uninstrument()
        server.close()
    (received,) = server.headers("/reviews/0")
    assert dict(BOOKINFO).items() <= received.items()


def test_the_other_examples_run(capsys) -> None:
    exec(BLOCKS[2], {"onward": onward, "request": dict(BOOKINFO)})
    assert "held_back" in capsys.readouterr().out
    assert "onward.set_default(" in BLOCKS[3]
    assert eval(BLOCKS[3].strip().removeprefix("onward.set_default(").removesuffix(")"), {"onward": onward})

"""Each program in the frameworks' pages runs as the page says, and calls on with the headers of its request."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest
from headers import BOOKINFO
from loopback import Recorder, get

DOCS = Path(__file__).parents[3] / "docs/python"
# Without this line of the page's first program nothing is forwarded.
COVERED_BY = {
    "aiohttp": ("middlewares=[middleware()]", ""),
    "bottle": ("onward.WSGIMiddleware(app)", "app"),
    "django": ('MIDDLEWARE=["onward.servers.django.OnwardMiddleware"],', ""),
    "falcon": ("app = onward.WSGIMiddleware(app)", ""),
    "fastapi": ("app.add_middleware(onward.ASGIMiddleware)", ""),
    "flask": ("Onward(app)", ""),
    "litestar": (", middleware=[onward.ASGIMiddleware]", ""),
    "pyramid": ("onward.WSGIMiddleware(config.make_wsgi_app())", "config.make_wsgi_app()"),
    "quart": ("app.asgi_app = onward.ASGIMiddleware(app.asgi_app)", ""),
    "sanic": ("Onward(app)", ""),
    "starlette": (", middleware=[Middleware(onward.ASGIMiddleware)]", ""),
    "tornado": ("Middleware(app)", "app"),
}


class Program(NamedTuple):
    page: str
    number: int
    code: str
    command: str


def programs(page: str) -> list[Program]:
    """Every Python block with the command that follows it, or else with the one before."""
    blocks = re.findall(r"```(python|sh)\n(.*?)```", (DOCS / f"{page}.md").read_text(), re.DOTALL)
    found: list[Program] = []
    waiting: list[str] = []
    command = ""
    for language, text in [*blocks[1:], ("sh", "")]:
        if language == "python":
            waiting.append(text)
            continue
        command = text or command
        found += [Program(page, len(found) + at, code, command) for at, code in enumerate(waiting, 1)]
        waiting = []
    return found


PROGRAMS = [program for page in COVERED_BY for program in programs(page)]


@pytest.fixture(scope="module")
def ratings():
    recorder = Recorder()
    yield recorder
    recorder.close()


@contextlib.contextmanager
def running(program: Program, ratings: Recorder, folder: Path):
    """Start the program in an empty folder, with `ratings` on loopback, and give its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = re.sub(r"\b9080\b", str(port), program.code.replace("http://ratings:9080", "RATINGS"))
    (folder / "reviews.py").write_text(code.replace("RATINGS", ratings.url))
    command = shlex.split(re.sub(r"\b9080\b", str(port), program.command).replace("0.0.0.0", "127.0.0.1"))
    scripts = Path(sys.executable).parent
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ONWARD_")}
    log = folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [str(scripts / command[0]), *command[1:]],
            cwd=folder,
            env=environ | {"PATH": f"{scripts}:{environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1", "NO_PROXY": "*"},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_for(port, process, log)
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def wait_for(port: int, process: subprocess.Popen, log: Path) -> None:
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise AssertionError(log.read_text())


def arrived(ratings: Recorder, port: int, path: str) -> dict[str, str]:
    ratings.received.clear()
    status, body = get(port, path, BOOKINFO)
    assert status == 200, body
    (headers,) = ratings.headers("/ratings/0")
    return {name: value for name, value in headers.items() if (name, value) in BOOKINFO}


def test_every_framework_has_its_page_and_every_page_two_programs() -> None:
    assert {program.page for program in PROGRAMS} == set(COVERED_BY)
    assert len(PROGRAMS) == 2 * len(COVERED_BY) + 1
    assert sum("by-hand" in program.code for program in PROGRAMS) == len(COVERED_BY)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: f"{program.page} {program.number}")
def test_the_pages_program_forwards_everything(program, ratings, tmp_path) -> None:
    with running(program, ratings, tmp_path) as port:
        for path in ["/reviews", "/by-hand"][: 1 + program.code.count('by-hand"')]:
            assert arrived(ratings, port, path) == dict(BOOKINFO), path


@pytest.mark.parametrize("page", COVERED_BY)
def test_the_negative_control_without_the_pages_line_nothing_is_forwarded(page, ratings, tmp_path) -> None:
    line, instead = COVERED_BY[page]
    program = programs(page)[0]
    assert program.code.count(line) == 1
    with running(program._replace(code=program.code.replace(line, instead)), ratings, tmp_path) as port:
        assert arrived(ratings, port, "/reviews") == {}

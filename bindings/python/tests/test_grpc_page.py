"""The code of gRPC's page."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import onward
import pytest
from grpc_loopback import (
    EVERYTHING,
    KINDS,
    METADATA,
    Echo,
)

PAGE = (Path(__file__).parents[3] / "docs/python/grpc.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


class Ratings:
    """Answers a call of any method with its metadata."""

    def service(self, details):
        return KINDS["unary"](Echo().unary)


@pytest.fixture
def ratings():
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers([Ratings()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(None).wait()


@pytest.fixture
def page(ratings):
    """The page's code with addresses of this machine, and the port that it serves."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    def local(code: str) -> str:
        return code.replace("ratings:50051", f"127.0.0.1:{ratings}").replace("0.0.0.0:50051", f"127.0.0.1:{port}")

    yield local, port
    onward.uninstrument()


def reviews(port: int) -> list:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        get = channel.unary_unary("/bookinfo.Reviews/Get")
        return json.loads(get(b"0", metadata=METADATA, wait_for_ready=True, timeout=20))


@pytest.mark.parametrize(("command", "expected"), [(["-m", "onward", "python"], EVERYTHING), ([], [])])
def test_without_a_line_of_onward_the_pages_program_forwards_under_onward_run_alone(
    tmp_path, page, command, expected
) -> None:
    local, port = page
    lines = [line for line in local(BLOCKS[0]).splitlines() if "onward" not in line]
    program = tmp_path / "server.py"
    program.write_text("\n".join(lines).replace(", interceptors=[ServerInterceptor()]", ""))
    with subprocess.Popen([sys.executable, *command, str(program)]) as running:
        try:
            assert reviews(port) == [expected, ["0"]]
        finally:
            running.terminate()


def test_the_pages_program_forwards_everything(page) -> None:
    local, port = page
    code, end = BLOCKS[0].rsplit("\n", 2)[:2]
    assert end == "server.wait_for_termination()"
    names: dict = {}
    exec(local(code), names)
    try:
        assert reviews(port) == [EVERYTHING, ["0"]]
    finally:
        names["server"].stop(None).wait()
        names["channel"].close()


async def test_the_pages_asynchronous_program_forwards_everything(page) -> None:
    local, port = page
    code, end = BLOCKS[1].rsplit("\n", 2)[:2]
    assert end == "asyncio.run(main())"
    names: dict = {}
    exec(local(code), names)
    serving = asyncio.create_task(names["main"]())
    try:
        assert await asyncio.to_thread(reviews, port) == [EVERYTHING, ["0"]]
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def test_the_pages_pieces_forward_everything(page) -> None:
    local, _ = page
    names: dict = {}
    for block in BLOCKS[2:]:
        exec(local(block), names)

    class Context:
        def invocation_metadata(self):
            return METADATA

    assert names["Reviews"]().Get(b"", Context()) == f"{len(METADATA)} headers go on".encode()
    assert json.loads(names["Get"](b"0", Context())) == [EVERYTHING, ["0"]]
    with onward.scope(METADATA):
        answer = names["channel"].unary_unary("/bookinfo.Ratings/Get")(b"0")
        assert json.loads(answer) == [EVERYTHING, ["0"]]
        async with names["make_channel"]() as channel:
            assert json.loads(await channel.unary_unary("/bookinfo.Ratings/Get")(b"0")) == [EVERYTHING, ["0"]]
    names["channel"].close()

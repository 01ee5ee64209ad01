"""A million calls leave neither objects nor memory behind."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = """
import gc, json, os, sys
import onward

environ = {"REQUEST_METHOD": "GET", "HTTP_X_REQUEST_ID": "-".join("ab"), "HTTP_COOKIE": "-".join("cd")}
scope = {"type": "http", "headers": [(b"x-request-id", b"7"), (b"cookie", b"a=b"), (b"accept", b"*/*")]}
pairs = [("x-request-id", "7"), ("tracestate", "a=1"), ("tracestate", "b=2")]
captured = onward.default().extract(environ)
kept = []


def in_scope():
    with onward.scope(captured):
        return dict(onward.current())


def refused():
    try:
        onward.get_forward_headers([3])
    except onward.CarrierError as error:
        return str(error)


calls = [
    lambda: onward.get_forward_headers(environ),
    lambda: onward.get_forward_headers(scope),
    lambda: onward.get_forward_headers(pairs),
    lambda: onward.default().extract(environ),
    lambda: onward.default().extract(scope),
    lambda: onward.default().extract({"x-request-id": "\\u0100", "cookie": None, "jwt": "a\\r\\nb"}),
    lambda: captured.inject({}, "http://reviews:9080/"),
    lambda: captured._additions("https://api.example.com/", [("accept", "*/*")], []),
    in_scope,
    refused,
]
if "leak" in sys.argv:
    calls = [lambda: kept.append(onward.default().extract(environ))]


def memory():
    gc.collect()
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[1])
    return sys.getallocatedblocks(), pages * os.sysconf("SC_PAGE_SIZE")


left = []
for call in calls:
    for _ in range(1000):
        call()
    blocks, size = memory()
    for _ in range(100_000):
        call()
    more_blocks, more_size = memory()
    left.append((more_blocks - blocks, more_size - size))
print(json.dumps(left))
"""


def left_behind(*arguments: str) -> list[tuple[int, int]]:
    """Python objects and bytes that are left of 100,000 calls, for each way to call, in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0, run.stderr
    return [tuple(pair) for pair in json.loads(run.stdout)]


def leaks(objects: int, size: int) -> bool:
    # The smallest block of memory, left by every call, would be 3,200,000 bytes.
    return objects > 1000 or size > 1_600_000


def test_a_million_calls_leave_nothing_behind() -> None:
    left = left_behind()
    assert len(left) == 10
    assert [pair for pair in left if leaks(*pair)] == []


def test_a_call_whose_result_is_kept_is_seen() -> None:
    """Negative control."""
    [(objects, size)] = left_behind("leak")
    assert objects > 100_000
    assert leaks(0, size)

"""The two ways of running it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from shop import exchange

FOLDER = Path(__file__).parents[1]


def start(*arguments: str, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=FOLDER,
        env={**os.environ, "HOST": "127.0.0.1", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def port_from(process: subprocess.Popen[str], pattern: str) -> int:
    """The port in the first line that has `pattern`."""
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if found := re.search(pattern, line):
            return int(found[1])
    raise AssertionError("".join(seen))


def stop(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    return process.returncode


def test_the_program_says_where_it_is_ready_on_host_and_sigterm_ends_it_with_status_0() -> None:
    process = start("productpage.py", "0")
    try:
        port = port_from(process, r"^productpage ready on http://127\.0\.0\.1:(\d+)$")
        assert exchange(port, "GET", "/health", []).body == "Product page is healthy"
    finally:
        status = stop(process)
    assert status == 0


def test_gunicorn_serves_it() -> None:
    process = start("-m", "gunicorn", "--bind", "127.0.0.1:0", "--workers", "2", "productpage:app")
    try:
        port = port_from(process, r"Listening at: http://127\.0\.0\.1:(\d+)")
        assert exchange(port, "GET", "/health", []).body == "Product page is healthy"
    finally:
        status = stop(process)
    assert status == 0


def test_a_port_that_is_none_is_a_usage_error() -> None:
    process = start("productpage.py", "x")
    output, _ = process.communicate(timeout=30)
    assert (process.returncode, output) == (2, "usage: python productpage.py PORT\n")


def test_a_mistake_in_the_policy_stops_it_at_start() -> None:
    process = start("productpage.py", "0", ONWARD_HEADERS="+host")
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "PolicyError" in output
    assert "host" in output.splitlines()[-1]

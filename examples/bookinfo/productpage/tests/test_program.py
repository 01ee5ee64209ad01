"""The two ways of running it."""

from __future__ import annotations

import sys

import pytest
from shop import FOLDER, exchange, port_from, start, stop

PYTHON = sys.executable
FORMS = ["productpage", "explicit"]


@pytest.mark.parametrize("form", FORMS)
def test_the_program_says_where_it_is_ready_on_host_and_sigterm_ends_it_with_status_0(form: str) -> None:
    process = start(PYTHON, f"{form}.py", "0")
    try:
        port = port_from(process, r"^productpage ready on http://127\.0\.0\.1:(\d+)$")
        assert exchange(port, "GET", "/health", []).body == "Product page is healthy"
    finally:
        status = stop(process)
    assert status == 0


@pytest.mark.parametrize("form", FORMS)
def test_gunicorn_serves_it(form: str) -> None:
    process = start(PYTHON, "-m", "gunicorn", "--bind", "127.0.0.1:0", "--workers", "2", f"{form}:app")
    try:
        port = port_from(process, r"Listening at: http://127\.0\.0\.1:(\d+)")
        assert exchange(port, "GET", "/health", []).body == "Product page is healthy"
    finally:
        status = stop(process)
    assert status == 0


@pytest.mark.parametrize("form", FORMS)
def test_a_port_that_is_none_is_a_usage_error(form: str) -> None:
    process = start(PYTHON, f"{form}.py", "x")
    output, _ = process.communicate(timeout=30)
    assert (process.returncode, output) == (2, f"usage: python {form}.py PORT\n")


def test_a_mistake_in_the_policy_stops_the_explicit_form_at_start() -> None:
    process = start(PYTHON, "explicit.py", "0", ONWARD_HEADERS="+host")
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "PolicyError" in output
    assert "host" in output.splitlines()[-1]


def test_a_mistake_in_the_policy_stops_onward_run_before_productpage_starts() -> None:
    process = start(PYTHON, "-m", "onward", "productpage.py", "0", ONWARD_HEADERS="+host")
    output, _ = process.communicate(timeout=30)
    assert (process.returncode, len(output.splitlines())) == (2, 1)
    assert "host" in output


def test_no_line_of_productpage_has_onward_in_it() -> None:
    for file in ("productpage.py", "upstreams.py", "catalog.py"):
        assert "onward" not in (FOLDER / file).read_text().lower()

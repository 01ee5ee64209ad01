"""The code of `docs/python/opentelemetry.md` runs, and does what the page says."""

from __future__ import annotations

import re

import pytest
from loopback import Recorder
from test_docs import DOCS, Program, get, programs, running

TRACE, SIDECAR = "80f198ee56343ba864fe8b2a57d3eff7", "e457b5a2e4d86bd1"
B3 = f"{TRACE}-{SIDECAR}-1"
SENT = [("x-request-id", "7f6c"), ("traceparent", f"00-{TRACE}-{SIDECAR}-01"), ("b3", B3), ("end-user", "jason")]
IN_CODE = programs("opentelemetry")[0]
PROPAGATOR = re.findall(r"```python\n(.*?)```", (DOCS / "opentelemetry.md").read_text(), re.DOTALL)[1]


@pytest.fixture(scope="module")
def ratings():
    recorder = Recorder()
    yield recorder
    recorder.close()


def arrived(ratings: Recorder, program: Program, folder) -> dict[str, str]:
    ratings.received.clear()
    with running(program, ratings, folder) as port:
        assert get(port, "/reviews", SENT)[0] == 200
    (headers,) = ratings.headers("/ratings/0")
    return {name: headers[name] for name, _ in SENT if name in headers}


def check(headers: dict[str, str]) -> None:
    """One trace, with one span of the service as the parent, and nothing lost."""
    assert (headers["x-request-id"], headers["end-user"]) == ("7f6c", "jason")
    _, trace, parent, _ = headers["traceparent"].split("-")
    assert trace == TRACE
    assert parent != SIDECAR
    assert headers["b3"] == f"{TRACE}-{parent}-1"


def test_the_pages_program_forwards_everything_in_one_trace(ratings, tmp_path) -> None:
    check(arrived(ratings, IN_CODE, tmp_path))


def test_without_a_sampled_span_b3_leaves_as_it_came_in(ratings, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    assert arrived(ratings, IN_CODE, tmp_path)["b3"] == B3


def test_the_negative_control_without_onwards_lines_only_the_tracers_header_goes_on(ratings, tmp_path) -> None:
    code = IN_CODE.code.replace("onward.instrument()\n", "")
    assert code != IN_CODE.code
    assert arrived(ratings, IN_CODE._replace(code=code), tmp_path).keys() == {"traceparent"}


def without_a_line(command: str) -> Program:
    lines = IN_CODE.code.splitlines(keepends=True)
    ours = ("onward", "Onward", "opentelemetry", "Instrumentor", "trace.")
    return IN_CODE._replace(
        code="".join(line for line in lines if not any(word in line for word in ours)), command=command
    )


@pytest.fixture
def exporters(monkeypatch):
    for signal in ("TRACES", "METRICS", "LOGS"):
        monkeypatch.setenv(f"OTEL_{signal}_EXPORTER", "console" if signal == "TRACES" else "none")


(COMMAND,) = re.findall(
    r"^opentelemetry-instrument onward-run .*", (DOCS / "opentelemetry.md").read_text(), re.MULTILINE
)
SWAPPED = COMMAND.replace("opentelemetry-instrument onward-run", "onward-run opentelemetry-instrument")


@pytest.mark.parametrize("command", [COMMAND, SWAPPED], ids=["as on the page", "in the other order"])
@pytest.mark.usefixtures("exporters")
def test_the_pages_command_does_it_without_a_line(ratings, tmp_path, command) -> None:
    check(arrived(ratings, without_a_line(command), tmp_path))


@pytest.mark.usefixtures("exporters")
def test_the_negative_control_without_onward_run_only_the_tracers_header_goes_on(ratings, tmp_path) -> None:
    alone = COMMAND.replace("onward-run ", "")
    assert arrived(ratings, without_a_line(alone), tmp_path).keys() == {"traceparent"}


def test_the_pages_propagator_carries_what_the_page_says() -> None:
    exec(PROPAGATOR, {})

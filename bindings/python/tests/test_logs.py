"""The ids on log lines, and the code of their page."""

from __future__ import annotations

import io
import json
import logging
import re
from pathlib import Path

import onward
import onward.logs
import pytest
import structlog
from loopback import get, serve_wsgi

PAGE = (Path(__file__).parents[3] / "docs/python/logs.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)
REQUEST_ID = "7b0ac7e5-9f9e-9a1a-8f4e-7a3b5b0f2d11"
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
SENT = [("x-request-id", REQUEST_ID), ("traceparent", f"00-{TRACE_ID}-b7ad6b7169203331-01")]


@pytest.fixture
def lines():
    """What a handler with the filter writes, as a list of lines."""
    log, written = logging.getLogger("onward.test"), io.StringIO()
    log.propagate = False
    log.setLevel(logging.INFO)
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(request_id)s %(trace_id)s %(message)s"))
    handler.addFilter(onward.logs.Filter())
    log.addHandler(handler)
    yield log, lambda: written.getvalue().splitlines()
    log.removeHandler(handler)


def test_a_line_of_a_request_has_its_ids_and_one_outside_has_none(lines) -> None:
    log, written = lines
    with onward.scope(SENT):
        log.info("inside")
    log.info("outside")
    with onward.scope([("x-request-id", "7")]):
        log.info("without a trace")
    assert written() == [f"{REQUEST_ID} {TRACE_ID} inside", "- - outside", "7 - without a trace"]


def test_what_the_caller_gives_stays(lines) -> None:
    log, written = lines
    with onward.scope(SENT):
        log.info("mine", extra={"request_id": "mine"})
    assert written() == [f"mine {TRACE_ID} mine"]


def test_the_placeholder_can_be_chosen() -> None:
    record = logging.makeLogRecord({})
    assert onward.logs.Filter("").filter(record) is True
    assert (record.request_id, record.trace_id) == ("", "")


def test_structlog_has_keys_only_for_ids_that_there_are() -> None:
    logger = structlog.wrap_logger(
        structlog.ReturnLogger(), processors=[onward.logs.add_ids, structlog.processors.JSONRenderer()]
    )
    with onward.scope(SENT):
        inside, mine = logger.info("inside"), logger.info("mine", trace_id="mine")
    assert json.loads(inside) == {"event": "inside", "request_id": REQUEST_ID, "trace_id": TRACE_ID}
    assert json.loads(mine) == {"event": "mine", "request_id": REQUEST_ID, "trace_id": "mine"}
    assert json.loads(logger.info("outside")) == {"event": "outside"}


def test_the_pages_logging_configuration_gives_the_pages_lines(capsys) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    names: dict = {"__name__": "productpage"}
    try:
        exec(BLOCKS[0][1], names)
        logging.getLogger("werkzeug").disabled = True
        with serve_wsgi(names["app"]) as port:
            assert get(port, "/productpage", SENT)[0] == 200
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        logging.getLogger("werkzeug").disabled = False
    assert capsys.readouterr().err == BLOCKS[1][1]


def test_the_pages_structlog_configuration_gives_the_pages_line(capsys) -> None:
    try:
        exec(BLOCKS[2][1], {})
        with onward.scope(SENT):
            structlog.get_logger().info("no reviews today")
    finally:
        structlog.reset_defaults()
    assert json.loads(capsys.readouterr().out) == json.loads(BLOCKS[3][1])


def test_the_pages_other_code_runs() -> None:
    (code,) = (code for language, code in BLOCKS[4:] if language == "python")
    exec(code, {})

"""The programs of `docs/python/migrating.md` run, and do what the page says; so does what it says of others."""

from __future__ import annotations

import uuid

import asgi_correlation_id
import pytest
from headers import BOOKINFO
from loopback import Recorder
from test_docs import arrived, programs, running

BY_HAND, LOGGED = programs("migrating")


@pytest.fixture(scope="module")
def ratings():
    recorder = Recorder()
    yield recorder
    recorder.close()


def test_bookinfos_function_forwards_everything(ratings, tmp_path) -> None:
    with running(BY_HAND, ratings, tmp_path) as port:
        assert arrived(ratings, port, "/reviews") == dict(BOOKINFO)


def test_without_the_function_nothing_is_forwarded(ratings, tmp_path) -> None:
    code = BY_HAND.code.replace(", headers=headers", "")
    assert code != BY_HAND.code
    with running(BY_HAND._replace(code=code), ratings, tmp_path) as port:
        assert arrived(ratings, port, "/reviews") == {}


def test_the_middleware_forwards_everything_and_log_lines_have_the_requests_id(ratings, tmp_path) -> None:
    with running(LOGGED, ratings, tmp_path) as port:
        assert arrived(ratings, port, "/reviews") == dict(BOOKINFO)
    assert "INFO [7b0ac7e5-9f9e-9a1a-8f4e-7a3b5b0f2d11] asking for ratings\n" in (tmp_path / "log").read_text()


def test_an_id_that_asgi_correlation_id_makes_has_no_dashes() -> None:
    middleware = asgi_correlation_id.CorrelationIdMiddleware(app=None)
    made = middleware.generator()
    assert "-" not in made
    assert len(made) == len(uuid.UUID(made).hex) == 32

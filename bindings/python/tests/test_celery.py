"""Celery: a real worker, its broker in memory, and a real call from within the task."""

from __future__ import annotations

import subprocess
import sys
import time

import onward
import onward.messages.celery
import pytest
import requests
from celery import Celery, signals
from celery.contrib.testing.worker import start_worker
from headers import BOOKINFO
from loopback import Recorder, get, serve_wsgi
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.trace import SpanKind
from test_opentelemetry_clients import INBOUND, TRACE, Service, child_of, in_either_order

ALL = dict(BOOKINFO)
ALLOWED = {name: value for name, value in ALL.items() if name not in {"cookie", "authorization", "jwt"}}


@pytest.fixture(scope="module")
def app():
    app = Celery("ratings", broker="memory://", backend="cache+memory://")
    app.conf.update(worker_hijack_root_logger=False, broker_transport_options={"polling_interval": 0.01})

    @app.task(name="lines")
    def lines() -> list:
        return onward.current().lines()

    @app.task(name="call")
    def call(url: str) -> None:
        requests.get(url, timeout=20)

    @app.task(name="fail")
    def fail() -> None:
        raise RuntimeError

    @app.task(name="again", bind=True, max_retries=1, default_retry_delay=0)
    def again(self) -> list:
        if self.request.retries == 0:
            raise self.retry()
        return onward.current().lines()

    @app.task(name="chained")
    def chained(_result: list) -> list:
        return onward.current().lines()

    # One thread does all the tasks, so that what one of them left would show in the next.
    with start_worker(app, pool="solo", perform_ping_check=False):
        yield app


@pytest.fixture
def installed():
    onward.messages.celery.install()
    yield
    onward.messages.celery.uninstall()


def run(app: Celery, name: str, *args: object, **options: object) -> object:
    return app.tasks[name].apply_async(args, **options).get(timeout=20, interval=0.01)


def test_a_task_is_part_of_the_request_that_has_sent_it_without_credentials(app, installed) -> None:
    with onward.scope(ALL):
        assert dict(run(app, "lines")) == ALLOWED
    assert run(app, "lines") == []


def test_without_onward_a_task_knows_nothing_of_the_request(app) -> None:
    with onward.scope(ALL):
        assert run(app, "lines") == []


def test_credentials_go_with_a_task_only_when_asked(app, installed) -> None:
    onward.messages.celery.install(credentials=True)
    with onward.scope(ALL):
        assert dict(run(app, "lines")) == ALL


def test_instrument_covers_celery_and_changes_nothing_that_was_said(app) -> None:
    onward.instrument("celery")
    try:
        with onward.scope(ALL):
            assert dict(run(app, "lines")) == ALLOWED
        onward.messages.celery.install(credentials=True)
        onward.instrument("celery")
        with onward.scope(ALL):
            assert dict(run(app, "lines")) == ALL
    finally:
        onward.uninstrument("celery")
    with onward.scope(ALL):
        assert run(app, "lines") == []


def test_a_request_goes_through_a_task_to_the_next_service(app, installed) -> None:
    server = Recorder()

    def service(environ, start_response):
        run(app, "call", server.url + "/ratings/0")
        start_response("200 OK", [("Content-Length", "0")])
        return [b""]

    onward.instrument("requests")
    try:
        with serve_wsgi(onward.WSGIMiddleware(service)) as port:
            assert get(port, "/", BOOKINFO)[0] == 200
        run(app, "call", server.url + "/ratings/1")
    finally:
        onward.uninstrument("requests")
        server.close()
    (with_request,) = server.headers("/ratings/0")
    (without,) = server.headers("/ratings/1")
    assert ALLOWED.items() <= with_request.items()
    assert not with_request.keys() & {"cookie", "authorization", "jwt"}
    assert not without.keys() & (ALL.keys() - {"user-agent"})


def test_a_task_that_fails_leaves_nothing_to_the_next(app, installed) -> None:
    with onward.scope(ALL), pytest.raises(RuntimeError):
        run(app, "fail")
    assert run(app, "lines") == []


def test_a_task_that_is_tried_again_or_sends_others_stays_in_its_request(app, installed) -> None:
    with onward.scope(ALL):
        assert dict(run(app, "again")) == ALLOWED
        assert (
            dict((app.tasks["lines"].s() | app.tasks["chained"].s()).apply_async().get(timeout=20, interval=0.01))
            == ALLOWED
        )


def test_what_the_sender_has_set_wins(app, installed) -> None:
    with onward.scope({"x-request-id": "7f6c", "end-user": "jason"}):
        assert dict(run(app, "lines", headers={"x-request-id": "mine"})) == {
            "x-request-id": "mine",
            "end-user": "jason",
        }


def test_values_that_are_no_text_arrive_byte_for_byte(app, installed) -> None:
    with onward.scope({"end-user": b"jos\xe9", "baggage": b"a=\xc3\xa9"}):
        assert run(app, "lines") == [["end-user", "jos\xe9"], ["baggage", "a=\xc3\xa9"]]


@pytest.fixture
def published():
    """The headers of each task as they go to the broker."""
    sent: list[dict[str, str]] = []

    def record(headers, **_: object) -> None:
        sent.append({name: value for name, value in headers.items() if name in INBOUND})

    signals.after_task_publish.connect(record, weak=False, dispatch_uid="test")
    yield sent
    signals.after_task_publish.disconnect(dispatch_uid="test")


@in_either_order
def test_beside_opentelemetry_its_span_of_the_task_is_the_parent_in_every_format(app, published, order) -> None:
    service = Service()
    try:
        for one in order:
            if one == "onward":
                onward.instrument("celery")
            else:
                CeleryInstrumentor().instrument(tracer_provider=service.provider)
        with service.handling():
            run(app, "lines")
    finally:
        CeleryInstrumentor().uninstrument()
        onward.uninstrument("celery")
    (sent,) = service.spans(SpanKind.PRODUCER)
    assert published == [child_of(sent)]


def test_the_negative_control_without_onward_one_format_goes_with_a_task(app, published) -> None:
    service = Service()
    CeleryInstrumentor().instrument(tracer_provider=service.provider)
    try:
        with service.handling():
            run(app, "lines")
    finally:
        CeleryInstrumentor().uninstrument()
    (sent,) = service.spans(SpanKind.PRODUCER)
    assert published == [{"traceparent": f"00-{TRACE}-{sent}-01", "tracestate": "vendor=1"}]


def test_uninstrumenting_leaves_the_signal_as_it_was() -> None:
    before = {**vars(signals.before_task_publish)}
    onward.instrument("celery")
    onward.uninstrument("celery")
    assert vars(signals.before_task_publish) == before


def test_an_eager_task_runs_in_the_scope_of_its_caller(app, installed) -> None:
    with onward.scope(ALL):
        assert dict(app.tasks["lines"].apply().get()) == ALL
        assert dict(onward.current()) == ALL
    assert app.tasks["lines"].apply().get() == []


def test_instrumenting_before_celery_is_imported_works_and_imports_nothing() -> None:
    code = """
import sys, onward
onward.instrument()
print("celery" in sys.modules)
from celery import signals
print(len(signals.before_task_publish.receivers), len(signals.task_prerun.receivers), len(signals.task_postrun.receivers))
onward.uninstrument()
print(len(signals.before_task_publish.receivers), len(signals.task_prerun.receivers), len(signals.task_postrun.receivers))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == ["False", "1 1 1", "0 0 0"]


def test_two_hundred_tasks_on_four_threads_keep_their_own_headers(installed) -> None:
    app = Celery("threads", broker="memory://", backend="cache+memory://")
    app.conf.update(worker_hijack_root_logger=False, broker_transport_options={"polling_interval": 0.001})
    # All brokers in memory are one: the other worker has a queue of its own.
    app.conf.update(task_default_queue="threads")

    @app.task(name="slow")
    def slow() -> tuple:
        before = onward.current().get("x-request-id")
        # Another task runs meanwhile.
        time.sleep(0.001)
        return before, onward.current().get("x-request-id")

    with start_worker(app, pool="threads", concurrency=4, perform_ping_check=False):
        sent = []
        for number in range(200):
            with onward.scope({"x-request-id": f"request {number}"} if number % 3 else {}):
                sent.append((number, slow.delay()))
        for number, result in sent:
            expected = f"request {number}" if number % 3 else None
            assert result.get(timeout=60, interval=0.01) == [expected, expected]

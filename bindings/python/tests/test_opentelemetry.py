"""Beside a span of OpenTelemetry, and as one of its propagators."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import onward
import pytest
import requests
from onward.opentelemetry import OnwardPropagator
from opentelemetry import context, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

TRACE, SIDECAR = "80f198ee56343ba864fe8b2a57d3eff7", "e457b5a2e4d86bd1"
INBOUND = {
    "x-request-id": "7f6c",
    "traceparent": f"00-{TRACE}-{SIDECAR}-01",
    "tracestate": "vendor=1",
    "b3": f"{TRACE}-{SIDECAR}-1",
    "sw8": "opaque",
    "end-user": "jason",
}
ENVIRON = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in INBOUND.items()}
ENVIRON |= {"REQUEST_METHOD": "GET", "SERVER_NAME": "reviews", "wsgi.input": object(), "wsgi.version": (1, 0)}
TRACER = TracerProvider(shutdown_on_exit=False).get_tracer("test")


def remote(flags: int = 1) -> context.Context:
    state = TraceState.from_header(["vendor=1"])
    parent = SpanContext(int(TRACE, 16), int(SIDECAR, 16), True, TraceFlags(flags), state)
    return trace.set_span_in_context(NonRecordingSpan(parent))


@pytest.fixture
def span():
    """A span that is current, and continues the trace that comes in."""
    with TRACER.start_as_current_span("reviews", context=remote()) as span:
        yield span


def beside(span) -> dict[str, str]:
    """What came in, with this span as the parent."""
    span_id = f"{span.get_span_context().span_id:016x}"
    return {**INBOUND, "traceparent": f"00-{TRACE}-{span_id}-01", "b3": f"{TRACE}-{span_id}-1"}


def written(by) -> dict[str, str]:
    """Of what came in, all that goes out in one of the ways."""
    with onward.scope(INBOUND) as captured:
        return dict(by(captured))


def into(inject) -> dict[str, str]:
    carrier: dict[str, str] = {}
    inject(carrier)
    return carrier


WAYS = {
    "current": lambda _: onward.current(),
    "current, in a call": lambda _: requests.Request("GET", "http://a/", headers=onward.current()).prepare().headers,
    "inject": lambda captured: into(captured.inject),
    "inject, to a destination": lambda captured: into(lambda carrier: captured.inject(carrier, "http://ratings:9080")),
    "a client": lambda captured: captured._additions("http://ratings:9080", [], []),
    "a message": lambda _: onward.messages.inject({}),
    "get_forward_headers": lambda _: onward.get_forward_headers(INBOUND),
    "get_forward_headers of an environ": lambda _: onward.get_forward_headers(ENVIRON),
    "get_forward_headers, to a destination": lambda _: onward.get_forward_headers(INBOUND, "http://ratings:9080"),
}
in_every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@in_every_way
def test_the_current_span_is_the_parent_of_all_that_leaves(way, span) -> None:
    assert written(way) == beside(span)


@in_every_way
def test_without_a_span_everything_leaves_as_it_came_in(way) -> None:
    assert written(way) == INBOUND


@in_every_way
def test_a_span_that_is_not_sampled_not_recording_or_over_changes_nothing(way) -> None:
    with trace.use_span(NonRecordingSpan(SpanContext(1, 2, False, TraceFlags(1)))):
        assert written(way) == INBOUND
    with trace.use_span(trace.INVALID_SPAN):
        assert written(way) == INBOUND
    with TRACER.start_as_current_span("unsampled", context=remote(flags=0)) as span:
        assert not span.get_span_context().trace_flags.sampled
        assert written(way) == INBOUND
    with TRACER.start_as_current_span("over", context=remote()) as span:
        span.end()
        assert written(way) == INBOUND


def test_where_nothing_came_in_nothing_is_invented(span) -> None:
    assert onward.get_forward_headers({"accept": "*/*"}) == {}
    assert into(onward.current().inject) == onward.messages.inject({}) == {}
    with onward.scope({"x-request-id": "7f6c"}):
        assert dict(onward.current()) == {"x-request-id": "7f6c"}


def test_what_was_captured_stays_what_came_in_and_the_next_span_is_asked_anew() -> None:
    with onward.scope(INBOUND) as captured:
        with TRACER.start_as_current_span("first", context=remote()) as first:
            assert dict(onward.current()) == beside(first)
            with TRACER.start_as_current_span("second") as second:
                assert dict(onward.current()) == beside(second)
            assert dict(captured) == INBOUND
            assert captured == INBOUND
        assert onward.current() is captured


def test_tasks_each_have_the_span_of_their_own() -> None:
    async def task() -> bool:
        with TRACER.start_as_current_span("task", context=remote()) as span:
            await asyncio.sleep(0)
            return dict(onward.current()) == beside(span)

    async def together() -> list[bool]:
        return await asyncio.gather(*(task() for _ in range(20)))

    with onward.scope(INBOUND):
        assert asyncio.run(together()) == [True] * 20


def test_explain_names_the_rule(span) -> None:
    with onward.scope(INBOUND):
        told = {row["name"]: (row["rule"], row["reason"]) for row in onward.explain()}
    parent = ("R13", "it goes on with the tracer's current span as the parent")
    assert (told["traceparent"], told["b3"]) == (parent, parent)
    assert told["sw8"] == ("R13", "it goes on as it came in: only its own tracer can write it")
    assert told["end-user"] == ("R1", "it goes on as it came in")


def test_a_tracer_that_is_other_than_expected_stops_no_request(span, monkeypatch) -> None:
    def fails(*_):
        raise RuntimeError

    assert written(WAYS["current"]) == beside(span)
    with monkeypatch.context() as patched:
        patched.setattr(trace, "get_current_span", fails)
        assert written(WAYS["current"]) == INBOUND
    with monkeypatch.context() as patched:
        patched.setattr(context, "get_current", fails)
        assert written(WAYS["current"]) == INBOUND
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)
    assert written(WAYS["get_forward_headers"]) == INBOUND


def test_onward_does_not_import_opentelemetry() -> None:
    code = "import onward, sys; onward.instrument(); onward.get_forward_headers({'b3': '0'}); print([*sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "'onward._native'" in run.stdout
    assert "opentelemetry" not in run.stdout


def test_what_leaves_at_the_very_end_of_the_interpreter_leaves_as_it_came_in() -> None:
    # A codec's search function lives longer than the modules do, and the builtins.
    code = """if True:
        import codecs, os, onward
        class Late:
            def __init__(self):
                self.headers, self.write = onward.default().extract({"b3": "0"}), os.write
            def search(self, name):
                return None
            def __del__(self):
                self.write(1, f"{self.headers._additions('http://ratings/', [], [])}".encode())
        codecs.register(Late().search)
    """
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stdout) == (0, "[('b3', '0')]"), run.stderr


OTHERS = [TraceContextTextMapPropagator(), W3CBaggagePropagator()]
LAST = CompositePropagator([*OTHERS, OnwardPropagator()])
TRACE_CLASS = {name: value for name, value in INBOUND.items() if name != "end-user"}


def test_the_propagator_carries_trace_headers_that_the_others_do_not_know(span) -> None:
    carrier: dict[str, str] = {}
    LAST.inject(carrier, trace.set_span_in_context(span, LAST.extract(INBOUND)))
    assert carrier == {name: value for name, value in beside(span).items() if name != "end-user"}


def test_the_negative_control_without_the_propagator_they_stay_behind(span) -> None:
    carrier: dict[str, str] = {}
    without = CompositePropagator(OTHERS)
    without.inject(carrier, trace.set_span_in_context(span, without.extract(INBOUND)))
    assert carrier.keys() == {"traceparent", "tracestate"}


def test_the_propagator_alone_carries_everything_of_the_class_trace_as_it_came_in() -> None:
    carrier: dict[str, str] = {}
    OnwardPropagator().inject(carrier, OnwardPropagator().extract(INBOUND))
    assert carrier == TRACE_CLASS


def test_the_propagator_leaves_a_family_alone_that_the_carrier_has() -> None:
    carrier = {"X-B3-TraceId": "mine", "TraceParent": "mine"}
    inbound = {**INBOUND, "x-b3-traceid": TRACE, "x-b3-spanid": SIDECAR}
    OnwardPropagator().inject(carrier, OnwardPropagator().extract(inbound))
    left = {name: value for name, value in TRACE_CLASS.items() if name not in {"traceparent", "tracestate"}}
    assert carrier == {"X-B3-TraceId": "mine", "TraceParent": "mine", **left}


def test_the_propagator_writes_by_the_setter_and_reads_by_the_getter() -> None:
    class Kafka:
        def keys(self, carrier):
            return [name for name, _ in carrier]

        def get(self, carrier, key):
            return [value.decode() for name, value in carrier if name == key]

        def set(self, carrier, key, value):
            carrier.append((key, value.encode()))

    sent: list[tuple[str, bytes]] = [("x-request-id", b"mine")]
    inbound = [(name, value.encode()) for name, value in INBOUND.items()]
    OnwardPropagator().inject(sent, OnwardPropagator().extract(inbound, getter=Kafka()), Kafka())
    assert dict(sent) == {name: value.encode() for name, value in TRACE_CLASS.items()} | {"x-request-id": b"mine"}
    assert len(sent) == len(TRACE_CLASS)


@pytest.mark.parametrize("carrier", [object(), 7, [1, 2], ["one"]], ids=repr)
def test_a_carrier_that_cannot_be_read_gets_nothing(carrier) -> None:
    class Never:
        def set(self, carrier, key, value):
            raise AssertionError(key)

    OnwardPropagator().inject(carrier, OnwardPropagator().extract(INBOUND), Never())


def test_the_propagator_asks_the_scope_first_and_a_given_context_before_it() -> None:
    propagator = OnwardPropagator()
    message = propagator.extract({"x-request-id": "message"})
    with onward.scope({"x-request-id": "scope"}):
        token = context.attach(propagator.extract({"x-request-id": "server"}))
        try:
            assert into(propagator.inject) == {"x-request-id": "scope"}
        finally:
            context.detach(token)
        assert into(lambda carrier: propagator.inject(carrier, message)) == {"x-request-id": "message"}
    assert into(propagator.inject) == {}


def test_its_fields_are_what_it_may_write() -> None:
    fields = OnwardPropagator().fields
    assert {"x-request-id", "b3", "traceparent", "sw8"} <= fields
    assert fields.isdisjoint({"end-user", "cookie", "authorization", "user-agent"})


def test_opentelemetry_finds_the_propagator_by_its_name() -> None:
    code = (
        "from opentelemetry import propagate; import onward; carrier = {};"
        "propagate.inject(carrier, propagate.extract({'x-request-id': '7f6c', 'end-user': 'jason'})); print(carrier)"
    )
    environ = os.environ | {"OTEL_PROPAGATORS": "tracecontext,baggage,onward"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.stdout, run.stderr) == ("{'x-request-id': '7f6c'}\n", "")

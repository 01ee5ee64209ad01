"""Together with OpenTelemetry's own instrumentation of servers and clients, registered before Onward or after it."""

from __future__ import annotations

import contextlib

import fastapi
import flask
import httpx
import onward
import onward.servers.flask
import pytest
import requests
from loopback import get, serve_asgi, serve_wsgi
from onward.opentelemetry import OnwardPropagator
from opentelemetry import propagate
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from opentelemetry.trace import SpanKind

TRACE = "80f198ee56343ba864fe8b2a57d3eff7"
SIDECAR = "e457b5a2e4d86bd1"
B3 = {"x-b3-traceid": TRACE, "x-b3-spanid": SIDECAR, "x-b3-sampled": "1"}
OTHERS = {
    "x-request-id": "7b0ac7e5-9f9e-9a1a-8f4e-7a3b5b0f2d11",
    "sw8": "1-VFJBQ0VJRA==-U0VHTUVOVA==-3-UFJPRFVDVA==-aW5zdA==-L2VuZA==-cGVlcg==",
    "end-user": "jason",
}
INBOUND = {"traceparent": f"00-{TRACE}-{SIDECAR}-01", "tracestate": "vendor=1", **B3, **OTHERS}
CLIENTS = {"requests": RequestsInstrumentor, "httpx": HTTPXClientInstrumentor}


class Tracer:
    def __init__(self, sampler) -> None:
        self._spans = InMemorySpanExporter()
        self.provider = TracerProvider(sampler=sampler)
        self.provider.add_span_processor(SimpleSpanProcessor(self._spans))

    def span(self, kind: SpanKind) -> tuple[str, str | None, str]:
        """Of the only span of a kind: the ids of its trace, of its parent and its own."""
        (span,) = (span for span in self._spans.get_finished_spans() if span.kind is kind)
        parent = span.parent and f"{span.parent.span_id:016x}"
        return f"{span.context.trace_id:032x}", parent, f"{span.context.span_id:016x}"

    def __len__(self) -> int:
        return len(self._spans.get_finished_spans())


def call(client: str, url: str) -> None:
    if client == "requests":
        requests.get(url)
    else:
        with httpx.Client(follow_redirects=True) as session:
            session.get(url)


@contextlib.contextmanager
def flask_service(client, url, tracer, steps):
    app = flask.Flask(__name__)

    @app.get("/reviews")
    def reviews():
        call(client, url)
        return "{}"

    for step in steps:
        if step == "onward":
            onward.servers.flask.Onward(app)
        else:
            FlaskInstrumentor().instrument_app(app, tracer_provider=tracer.provider)
    try:
        with serve_wsgi(app) as port:
            yield port
    finally:
        FlaskInstrumentor.uninstrument_app(app)


@contextlib.contextmanager
def fastapi_service(client, url, tracer, steps):
    app = fastapi.FastAPI()

    @app.get("/reviews")
    async def reviews():
        if client == "requests":
            return await fastapi.concurrency.run_in_threadpool(call, client, url)
        async with httpx.AsyncClient() as session:
            return (await session.get(url)).text

    for step in steps:
        if step == "onward":
            app.add_middleware(onward.ASGIMiddleware)
        else:
            FastAPIInstrumentor.instrument_app(app, tracer_provider=tracer.provider, exclude_spans=["receive", "send"])
    try:
        with serve_asgi(app) as port:
            yield port
    finally:
        # As long as an application is instrumented, so are Starlette's background tasks, everybody's.
        FastAPIInstrumentor.uninstrument_app(app)


SERVICES = {"flask": flask_service, "fastapi": fastapi_service}


@contextlib.contextmanager
def instrumented(client, tracer, steps):
    with contextlib.ExitStack() as undo:
        for step in steps:
            if step == "onward":
                onward.instrument()
                undo.callback(onward.uninstrument)
            else:
                instrumentor = CLIENTS[client]()
                instrumentor.instrument(tracer_provider=tracer.provider)
                undo.callback(instrumentor.uninstrument)
        yield


def ratings_got(server, service, client, steps, *, sampler=ALWAYS_ON, inbound=None):
    """What a service behind this one is sent, and the tracer that watched it."""
    tracer = Tracer(sampler)
    with instrumented(client, tracer, steps), SERVICES[service](client, f"{server.url}/ratings", tracer, steps) as port:
        status, body = get(port, "/reviews", list((INBOUND if inbound is None else inbound).items()))
        assert status == 200, body
    (received,) = server.headers("/ratings")
    own = {"traceparent", *INBOUND}
    return {name: value for name, value in received.items() if name in own}, tracer


BOTH = [("onward", "opentelemetry"), ("opentelemetry", "onward")]
EVERY_SERVICE = [(service, client) for service in SERVICES for client in CLIENTS]
service_and_client = pytest.mark.parametrize(("service", "client"), EVERY_SERVICE)
in_either_order = pytest.mark.parametrize("steps", BOTH, ids=["Onward first", "OpenTelemetry first"])


@service_and_client
@in_either_order
def test_every_format_goes_on_in_the_services_own_trace_and_nothing_is_lost(server, service, client, steps) -> None:
    received, tracer = ratings_got(server, service, client, steps)
    trace, parent, served = tracer.span(SpanKind.SERVER)
    assert (trace, parent) == (TRACE, SIDECAR)
    trace, parent, called = tracer.span(SpanKind.CLIENT)
    assert (trace, parent) == (TRACE, served)
    assert received == {
        **OTHERS,
        "traceparent": f"00-{TRACE}-{called}-01",
        "tracestate": "vendor=1",
        "x-b3-traceid": TRACE,
        "x-b3-spanid": called,
        "x-b3-sampled": "1",
    }


@pytest.fixture
def propagator():
    """As with OTEL_PROPAGATORS=tracecontext,baggage,onward."""
    before = propagate.get_global_textmap()
    propagate.set_global_textmap(CompositePropagator([before, OnwardPropagator()]))
    yield
    propagate.set_global_textmap(before)


@service_and_client
@in_either_order
@pytest.mark.usefixtures("propagator")
def test_with_the_propagator_every_format_has_the_same_parent(server, service, client, steps) -> None:
    received, tracer = ratings_got(server, service, client, steps)
    called = tracer.span(SpanKind.CLIENT)[2]
    assert received == {
        **OTHERS,
        "traceparent": f"00-{TRACE}-{called}-01",
        "tracestate": "vendor=1",
        "x-b3-traceid": TRACE,
        "x-b3-spanid": called,
        "x-b3-sampled": "1",
    }


@service_and_client
@pytest.mark.usefixtures("propagator")
def test_the_propagator_alone_forwards_what_is_no_secret(server, service, client) -> None:
    received, tracer = ratings_got(server, service, client, ["opentelemetry"])
    called = tracer.span(SpanKind.CLIENT)[2]
    assert received["traceparent"] == f"00-{TRACE}-{called}-01"
    assert received["x-b3-spanid"] == called
    assert {name: received[name] for name in OTHERS if name in received} == {
        name: value for name, value in OTHERS.items() if name != "end-user"
    }


@pytest.mark.parametrize("client", CLIENTS)
@in_either_order
@pytest.mark.usefixtures("propagator")
def test_what_may_not_leave_the_mesh_is_taken_off_at_a_redirect_as_ever(server, outside, client, steps) -> None:
    server.redirects["/inside"] = f"{outside}/outside"
    tracer = Tracer(ALWAYS_ON)
    with instrumented(client, tracer, steps), onward.scope(INBOUND):
        call(client, f"{server.url}/inside")
    (first,), (second,) = server.headers("/inside"), server.headers("/outside")
    assert first["end-user"] == "jason"
    assert "end-user" not in second
    assert first["x-request-id"] == second["x-request-id"] == OTHERS["x-request-id"]


@service_and_client
@in_either_order
def test_b3_stays_in_the_meshs_trace_where_the_tracer_does_not_read_it(server, service, client, steps) -> None:
    received, tracer = ratings_got(server, service, client, steps, inbound={**B3, **OTHERS})
    trace, _, called = tracer.span(SpanKind.CLIENT)
    assert trace != TRACE
    # A trace id that the tracer has made is random, and level 2 of the format says so.
    assert received == {**B3, **OTHERS, "traceparent": f"00-{trace}-{called}-03"}


@service_and_client
@in_either_order
def test_a_broken_traceparent_is_ignored_with_its_tracestate_and_the_trace_starts_anew(
    server, service, client, steps
) -> None:
    broken = {"traceparent": f"ff-{TRACE}-{SIDECAR}-01", "tracestate": "vendor=1"}
    received, tracer = ratings_got(server, service, client, steps, inbound={**broken, **OTHERS})
    trace, _, called = tracer.span(SpanKind.CLIENT)
    assert trace != TRACE
    assert received == {**OTHERS, "traceparent": f"00-{trace}-{called}-03"}


@service_and_client
@in_either_order
def test_the_first_service_of_a_trace_sends_the_tracers_own_headers_alone(server, service, client, steps) -> None:
    received, tracer = ratings_got(server, service, client, steps, inbound={})
    trace, _, called = tracer.span(SpanKind.CLIENT)
    assert received == {"traceparent": f"00-{trace}-{called}-03"}


@service_and_client
@in_either_order
def test_beside_a_tracer_that_does_not_sample_b3_stays_as_it_came_in(server, service, client, steps) -> None:
    received, tracer = ratings_got(server, service, client, steps, sampler=ALWAYS_OFF)
    assert len(tracer) == 0
    assert received.items() >= {**B3, **OTHERS}.items()
    assert received["traceparent"].startswith(f"00-{TRACE}-")


@service_and_client
def test_the_negative_control_without_onward_only_the_tracers_headers_go_on(server, service, client) -> None:
    received, tracer = ratings_got(server, service, client, ["opentelemetry"])
    called = tracer.span(SpanKind.CLIENT)[2]
    assert received == {"traceparent": f"00-{TRACE}-{called}-01", "tracestate": "vendor=1"}


@service_and_client
def test_without_opentelemetry_everything_goes_on_as_it_came_in(server, service, client) -> None:
    received, tracer = ratings_got(server, service, client, ["onward"])
    assert len(tracer) == 0
    assert received == INBOUND

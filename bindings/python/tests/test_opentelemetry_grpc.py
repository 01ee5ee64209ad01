"""gRPC's channels that OpenTelemetry has instrumented, before Onward or after it: its span of the call is the parent in every format."""

from __future__ import annotations

import contextlib

import grpc
import onward
import pytest
from grpc_loopback import ask, ask_aio
from opentelemetry import trace
from opentelemetry.instrumentation.grpc import GrpcAioInstrumentorClient, GrpcInstrumentorClient
from opentelemetry.trace import SpanKind
from test_opentelemetry_clients import SIDECAR, Service, child_of, in_either_order


@pytest.fixture
def service(monkeypatch):
    service = Service()
    # What instruments blocking channels takes no provider.
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: service.provider)
    return service


@contextlib.contextmanager
def instrumented(order):
    with contextlib.ExitStack() as undo:
        for one in order:
            if one == "onward":
                onward.instrument("grpc")
                undo.callback(onward.uninstrument)
            else:
                for instrumentor in (GrpcInstrumentorClient(), GrpcAioInstrumentorClient()):
                    instrumentor.instrument()
                    undo.callback(instrumentor.uninstrument)
        yield


def parent(received: dict[str, str]) -> str:
    """The span that OpenTelemetry has written."""
    return received["traceparent"].split("-")[2]


def check(answers: list, service: Service) -> None:
    parents = set()
    for lines, _ in answers:
        received = dict(lines)
        assert len(received) == len(lines)
        assert received == child_of(parent(received))
        parents.add(parent(received))
    assert len(parents) == len(answers), "each call has a span of its own"
    assert parents.isdisjoint({SIDECAR, *service.spans(SpanKind.SERVER)})


@in_either_order
def test_the_clients_span_is_the_parent_in_every_kind_of_call(echo, service, order) -> None:
    with instrumented(order), grpc.insecure_channel(f"127.0.0.1:{echo}") as channel, service.handling():
        answers = ask(channel)
    check(answers, service)


@in_either_order
async def test_the_clients_span_is_the_parent_in_every_kind_of_call_of_coroutines(echo, service, order) -> None:
    with instrumented(order):
        async with grpc.aio.insecure_channel(f"127.0.0.1:{echo}") as channel:
            with service.handling():
                answers = await ask_aio(channel)
    check(answers, service)


async def test_the_negative_control_without_onward_one_format_goes_on(echo, service) -> None:
    with instrumented(["opentelemetry"]):
        with grpc.insecure_channel(f"127.0.0.1:{echo}") as channel, service.handling():
            answers = ask(channel)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{echo}") as channel:
            with service.handling():
                answers += await ask_aio(channel)
    assert {tuple(name for name, _ in lines) for lines, _ in answers} == {("traceparent", "tracestate")}

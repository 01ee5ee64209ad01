"""Clients that OpenTelemetry has instrumented, before Onward or after it: its span of the call is the parent in every format."""

from __future__ import annotations

import asyncio
import contextlib
import pickle

import aiohttp
import httpx
import onward
import pytest
import requests
import urllib3
from clients import aiohttp as with_aiohttp
from clients import http_client as with_http_client
from clients import httpx as with_httpx
from clients import requests as with_requests
from clients import urllib3 as with_urllib3
from loopback import RecorderApp
from opentelemetry import propagate, trace
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.instrumentation.urllib import URLLibInstrumentor
from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from tls import serve_tls

TRACE, SIDECAR = "80f198ee56343ba8864fe8b2a57d3eff", "e457b5a2e4d86bd1"
LOW = str(int(TRACE[16:], 16))
INBOUND = {
    "x-request-id": "7f6c",
    "traceparent": f"00-{TRACE}-{SIDECAR}-01",
    "tracestate": "vendor=1",
    "b3": f"{TRACE}-{SIDECAR}-1",
    "x-b3-traceid": TRACE,
    "x-b3-spanid": SIDECAR,
    "x-b3-sampled": "1",
    "x-datadog-trace-id": LOW,
    "x-datadog-parent-id": str(int(SIDECAR, 16)),
    "x-datadog-sampling-priority": "1",
    "x-datadog-tags": f"_dd.p.tid={TRACE[:16]}",
    "end-user": "jason",
}
INSTRUMENTORS = {
    "aiohttp": AioHttpClientInstrumentor,
    "http_client": URLLibInstrumentor,
    "httpx": HTTPXClientInstrumentor,
    "requests": RequestsInstrumentor,
    "urllib3": URLLib3Instrumentor,
}
ALL = tuple(INSTRUMENTORS)
# Of `http.client` alone OpenTelemetry makes no spans; by `inject` the program itself writes headers, which are its own.
CLIENTS = [
    client
    for library in (with_requests, with_urllib3, with_httpx, with_aiohttp, with_http_client)
    for client in library.CLIENTS
    if client.follows
]
each_client = pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name.replace("`", ""))
each_instrumented = pytest.mark.parametrize(
    "client", [client for client in CLIENTS if client.instrument], ids=lambda client: client.name
)
ORDERS = [("onward", "opentelemetry"), ("opentelemetry", "onward")]
in_either_order = pytest.mark.parametrize("order", ORDERS, ids=["Onward first", "OpenTelemetry first"])


class Service:
    """A service with a span for the request that it handles, behind a sidecar."""

    def __init__(self) -> None:
        self._finished = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._finished))
        self._tracer = self.provider.get_tracer("service")

    @contextlib.contextmanager
    def handling(self, inbound=INBOUND):
        context = propagate.extract(inbound)
        with self._tracer.start_as_current_span("served", context, SpanKind.SERVER), onward.scope(inbound):
            yield

    def spans(self, kind: SpanKind) -> list[str]:
        return [f"{span.context.span_id:016x}" for span in self._finished.get_finished_spans() if span.kind is kind]


@contextlib.contextmanager
def instrumented(service, order, *, onward_for=(), tracer_for=ALL):
    with contextlib.ExitStack() as undo:
        for one in order:
            if one == "onward":
                onward.instrument(*onward_for)
                undo.callback(onward.uninstrument)
            else:
                for library in tracer_for:
                    instrumentor = INSTRUMENTORS[library]()
                    instrumentor.instrument(tracer_provider=service.provider)
                    undo.callback(instrumentor.uninstrument)
        yield


def child_of(span: str) -> dict[str, str]:
    """What came in, with a span as the parent, written out in each format."""
    return {
        **INBOUND,
        "traceparent": f"00-{TRACE}-{span}-01",
        "b3": f"{TRACE}-{span}-1",
        "x-b3-spanid": span,
        "x-datadog-parent-id": str(int(span, 16)),
    }


def forwarded(received: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in received.items() if name in INBOUND}


@each_client
@in_either_order
def test_the_clients_span_is_the_parent_in_every_format(server, client, order) -> None:
    service = Service()
    with instrumented(service, order), service.handling():
        client.call(f"{server.url}/ratings")
    (served,), (called,) = service.spans(SpanKind.SERVER), service.spans(SpanKind.CLIENT)
    assert served != called
    # That no line is there twice, the server has checked.
    assert [forwarded(received) for received in server.headers("/ratings")] == [child_of(called)]


@each_instrumented
@in_either_order
def test_so_it_is_where_only_this_library_is_instrumented(server, client, order) -> None:
    service = Service()
    (library,) = client.instrument
    with (
        instrumented(service, order, onward_for=[library], tracer_for=[library.replace(".", "_")]),
        service.handling(),
    ):
        client.call(f"{server.url}/ratings")
    (called,) = service.spans(SpanKind.CLIENT)
    assert [forwarded(received) for received in server.headers("/ratings")] == [child_of(called)]


@pytest.mark.parametrize(
    "client", [client for client in CLIENTS if not client.instrument], ids=lambda client: client.name
)
def test_so_it_is_where_onward_is_in_the_programs_code(server, client) -> None:
    service = Service()
    with instrumented(service, ["opentelemetry"]), service.handling():
        client.call(f"{server.url}/ratings")
    (called,) = service.spans(SpanKind.CLIENT)
    assert [forwarded(received) for received in server.headers("/ratings")] == [child_of(called)]


@each_instrumented
def test_the_negative_control_without_onward_one_format_goes_on(server, client) -> None:
    service = Service()
    with instrumented(service, ["opentelemetry"]), service.handling():
        client.call(f"{server.url}/ratings")
    (called,) = service.spans(SpanKind.CLIENT)
    assert [forwarded(received) for received in server.headers("/ratings")] == [
        {"traceparent": f"00-{TRACE}-{called}-01", "tracestate": "vendor=1"}
    ]


@each_client
@in_either_order
def test_a_client_without_a_span_of_its_own_has_the_services(server, client, order) -> None:
    service = Service()
    with instrumented(service, order, tracer_for=()), service.handling():
        client.call(f"{server.url}/ratings")
    (served,) = service.spans(SpanKind.SERVER)
    assert [forwarded(received) for received in server.headers("/ratings")] == [child_of(served)]


@in_either_order
def test_a_span_that_a_tracer_makes_below_requests_is_the_parent_too(server, order) -> None:
    service = Service()
    with instrumented(service, order, tracer_for=["urllib3"]), service.handling():
        response = requests.get(f"{server.url}/ratings")
    (called,) = service.spans(SpanKind.CLIENT)
    assert [forwarded(received) for received in server.headers("/ratings")] == [child_of(called)]
    assert response.status_code == 200


@each_client
@in_either_order
def test_at_each_hop_of_a_redirect_all_formats_have_one_parent_and_the_rest_is_guarded(
    server, outside, client, order
) -> None:
    server.redirects["/inside"] = f"{outside}/outside"
    client.call(f"{outside}/by-itself")
    service = Service()
    with instrumented(service, order), service.handling({**INBOUND, "user-agent": "Mozilla/5.0"}):
        client.call(f"{server.url}/inside")
    (first,), (second,), (alone,) = (server.headers(path) for path in ("/inside", "/outside", "/by-itself"))
    assert (first["user-agent"], second["user-agent"]) == ("Mozilla/5.0", alone["user-agent"])
    called = service.spans(SpanKind.CLIENT)
    # Some have a span for each hop, others one for all; of another hop's nothing is left.
    assert forwarded(first) == child_of(called[0])
    trace_only = {name: value for name, value in child_of(called[-1]).items() if name != "end-user"}
    assert forwarded(second) == trace_only


@each_client
@in_either_order
def test_trace_headers_that_are_to_stay_in_the_mesh_do_not_leave_it(server, outside, client, order) -> None:
    server.redirects["/inside"] = f"{outside}/outside"
    service = Service()
    captured = onward.Propagator(trace_destinations="mesh").extract(INBOUND)
    with instrumented(service, order), service.handling(captured):
        client.call(f"{server.url}/inside")
    (first,), (second,) = server.headers("/inside"), server.headers("/outside")
    assert forwarded(first) == child_of(service.spans(SpanKind.CLIENT)[0])
    # What OpenTelemetry puts there itself.
    assert forwarded(second).keys() <= {"traceparent", "tracestate"}


@each_client
@in_either_order
def test_the_caller_wins_and_a_credential_that_a_redirect_takes_off_is_not_replaced(server, client, order) -> None:
    server.redirects["/first"] = f"http://localhost:{server.port}/second"
    service = Service()
    with instrumented(service, order), service.handling({**INBOUND, "authorization": "Bearer inbound"}):
        client.get(f"{server.url}/first", {"Authorization": "Basic mine", "B3": "0"})
    (first,), (second,) = server.headers("/first"), server.headers("/second")
    assert (first["authorization"], first["b3"], second["b3"]) == ("Basic mine", "0", "0")
    assert second.get("authorization") != "Bearer inbound"
    for received, called in ((first, service.spans(SpanKind.CLIENT)[0]), (second, service.spans(SpanKind.CLIENT)[-1])):
        assert received["x-b3-spanid"] == called
        assert received["traceparent"] == f"00-{TRACE}-{called}-01"


@each_client
@in_either_order
def test_a_signed_request_has_nothing_of_onwards(server, client, order) -> None:
    service = Service()
    with instrumented(service, order), service.handling():
        client.get(f"{server.url}/bucket?X-Amz-Signature=abc", {})
    (called,) = service.spans(SpanKind.CLIENT)
    (received,) = server.headers("/bucket?X-Amz-Signature=abc")
    assert forwarded(received) == {"traceparent": f"00-{TRACE}-{called}-01", "tracestate": "vendor=1"}


@in_either_order
def test_a_request_that_is_sent_again_has_the_span_of_each_time(server, order) -> None:
    service = Service()
    prepared = requests.Request("GET", f"{server.url}/requests").prepare()
    with instrumented(service, order), httpx.Client() as client, requests.Session() as session:
        built = client.build_request("GET", f"{server.url}/httpx")
        before = {**prepared.headers}, {**built.headers}
        for _ in range(2):
            with service.handling():
                session.send(prepared)
                client.send(built)
    by_requests, by_httpx, by_requests_again, by_httpx_again = service.spans(SpanKind.CLIENT)
    sent = [[forwarded(received) for received in server.headers(path)] for path in ("/requests", "/httpx")]
    assert sent == [
        [child_of(by_requests), child_of(by_requests_again)],
        [child_of(by_httpx), child_of(by_httpx_again)],
    ]
    # Where OpenTelemetry is the first to have a request, it writes to the caller's own.
    theirs = {"traceparent", "tracestate"}
    after = [{name: value for name, value in one.headers.items() if name not in theirs} for one in (prepared, built)]
    assert after == [*before]


@in_either_order
def test_a_request_that_urllib3_tries_again_is_the_same_again(heads, order) -> None:
    service = Service()
    retries = urllib3.Retry(total=2, status_forcelist=[200], raise_on_status=False, backoff_factor=0)
    with instrumented(service, order), service.handling(), urllib3.PoolManager() as manager:
        manager.request("GET", f"{heads.url}/ratings", retries=retries)
    (called,) = service.spans(SpanKind.CLIENT)
    assert len(heads.heads) == 3
    assert len(set(heads.heads)) == 1
    assert f"\r\nb3: {TRACE}-{called}-1\r\n".encode() in heads.heads[0]


@in_either_order
def test_the_response_of_requests_tells_what_was_sent_and_can_be_pickled(server, order) -> None:
    service = Service()
    with instrumented(service, order), service.handling():
        response = requests.get(f"{server.url}/ratings")
    (called,) = service.spans(SpanKind.CLIENT)
    for request in (response.request, pickle.loads(pickle.dumps(response)).request):
        assert forwarded({name.lower(): value for name, value in request.headers.items()}) == child_of(called)


@in_either_order
async def test_tasks_over_one_client_each_have_a_span_of_their_own(server, order) -> None:
    service = Service()

    async def handle(number: int) -> None:
        with service.handling({**INBOUND, "x-request-id": f"r{number}"}):
            await asyncio.gather(
                one.get(f"{server.url}/{number}/httpx"),
                other.get(f"{server.url}/{number}/aiohttp"),
            )

    with instrumented(service, order):
        async with httpx.AsyncClient() as one, aiohttp.ClientSession() as other:
            await asyncio.gather(*(handle(number) for number in range(5)))
    called = set(service.spans(SpanKind.CLIENT))
    assert len(called) == len(server.received) == 10
    for path, lines in server.received:
        received = forwarded(dict(lines))
        number = path.split("/")[1]
        span = received["x-b3-spanid"]
        assert received == {**child_of(span), "x-request-id": f"r{number}"}
        called.remove(span)


@in_either_order
def test_over_http2_it_is_no_different(order) -> None:
    service, app = Service(), RecorderApp()
    with (
        serve_tls(app) as (port, trust, _),
        instrumented(service, order),
        httpx.Client(verify=trust, http2=True) as client,
        service.handling(),
    ):
        client.get(f"https://127.0.0.1:{port}/")
    (called,) = service.spans(SpanKind.CLIENT)
    ((version, headers, _),) = app.received
    assert version == "2"
    assert forwarded(headers) == child_of(called)


@pytest.mark.parametrize("asynchronous", [False, True])
@in_either_order
async def test_who_watches_the_steps_of_httpx_still_does(server, order, asynchronous) -> None:
    async def told_later(event, _info) -> None:
        events.append(event)

    service, events = Service(), []
    url = f"{server.url}/ratings"
    with instrumented(service, order), service.handling():
        if asynchronous:
            async with httpx.AsyncClient() as client:
                await client.get(url, extensions={"trace": told_later})
        else:
            with httpx.Client() as client:
                client.get(url, extensions={"trace": lambda event, _info: events.append(event)})
    (called,) = service.spans(SpanKind.CLIENT)
    assert "http11.send_request_headers.started" in events
    assert "http11.receive_response_headers.complete" in events
    assert [forwarded(received) for received in server.headers("/ratings")] == [child_of(called)]


@in_either_order
def test_a_proxy_that_is_asked_for_a_tunnel_gets_nothing(heads, order) -> None:
    """The proxy answers 200 and hangs up, so that the call itself fails."""
    service = Service()
    with instrumented(service, order), service.handling():
        for library in (httpx, requests):
            proxies = {"proxy": heads.url} if library is httpx else {"proxies": {"https": heads.url}}
            with contextlib.suppress(httpx.HTTPError, requests.RequestException):
                library.get("https://ratings:9080/0", **proxies)
    by_httpx, by_requests = heads.heads
    for head in (by_httpx, by_requests):
        assert head.startswith(b"CONNECT ratings:9080 HTTP/1.")
        assert TRACE.encode() not in head
        assert b"7f6c" not in head


@in_either_order
def test_through_a_proxy_it_is_no_different(server, order) -> None:
    service, target = Service(), "http://ratings:9080/0"
    with instrumented(service, order), service.handling():
        with httpx.Client(proxy=server.url) as client:
            client.get(target)
        requests.get(target, proxies={"http": server.url})
        urllib3.ProxyManager(server.url).request("GET", target)
    called = service.spans(SpanKind.CLIENT)
    assert [forwarded(received) for received in server.headers(target)] == [child_of(span) for span in called]


@in_either_order
async def test_a_transport_that_is_no_network_has_the_headers_as_ever(order) -> None:
    service, app = Service(), RecorderApp()
    with instrumented(service, order), service.handling():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            await client.get("http://reviews:9080/")
    # OpenTelemetry makes spans for httpx's own transports.
    (served,) = service.spans(SpanKind.SERVER)
    assert [forwarded(headers) for _, headers, _ in app.received] == [child_of(served)]


@in_either_order
def test_a_tracer_that_is_other_than_expected_stops_no_request(server, order, monkeypatch) -> None:
    def fails():
        raise RuntimeError

    service = Service()
    with instrumented(service, order, tracer_for=()), onward.scope(INBOUND):
        monkeypatch.setattr(trace, "get_current_span", fails)
        for client in CLIENTS:
            client.call(f"{server.url}/ratings")
    assert [forwarded(received) for received in server.headers("/ratings")] == [INBOUND] * len(CLIENTS)

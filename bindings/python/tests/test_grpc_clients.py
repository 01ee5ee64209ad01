"""gRPC's channels: instrumented, intercepted, in and out of the mesh."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
import onward
import pytest
from grpc_loopback import (
    EVERYTHING,
    KINDS,
    METADATA,
    TRACE_ONLY,
    Echo,
    answers,
    answers_aio,
    ask,
    ask_aio,
    methods,
    proxy,
    serve_wire,
)
from headers import BOOKINFO
from onward.clients.grpc import ClientInterceptor, to_metadata


@pytest.fixture
def instrumented():
    onward.instrument("grpc")
    yield
    onward.uninstrument("grpc")


@pytest.mark.usefixtures("instrumented")
def test_instrumented_channels_forward_by_every_kind_of_call(echo) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{echo}") as channel:
        with onward.scope(METADATA):
            assert ask(channel) == answers(EVERYTHING, "18 in scope")
        assert ask(channel) == answers([], "0 in scope")


@pytest.mark.usefixtures("instrumented")
async def test_instrumented_asynchronous_channels_forward_by_every_kind_of_call(echo) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{echo}") as channel:
        with onward.scope(METADATA):
            assert await ask_aio(channel) == answers_aio(EVERYTHING, "18 in scope")
        assert await ask_aio(channel) == answers_aio([], "0 in scope")


def test_a_channel_forwards_as_long_as_instrument_is_in_force(echo) -> None:
    with onward.scope(METADATA), grpc.insecure_channel(target=f"127.0.0.1:{echo}") as before:
        onward.instrument("grpc")
        with grpc.insecure_channel(target=f"127.0.0.1:{echo}") as channel:
            ask_once = methods(channel)["unary"]
            assert json.loads(ask_once(b"")) == [EVERYTHING, [""]]
            onward.uninstrument("grpc")
            assert json.loads(ask_once(b"")) == [[], [""]]
            onward.instrument("grpc")
            assert json.loads(ask_once(b"")) == [EVERYTHING, [""]]
        assert json.loads(methods(before)["unary"](b"")) == [[], [""]], "made before"
        onward.uninstrument("grpc")


def test_a_function_that_was_imported_before_makes_channels_that_forward(echo) -> None:
    made_by = grpc.insecure_channel
    onward.instrument("grpc")
    try:
        with onward.scope(METADATA), made_by(f"127.0.0.1:{echo}") as channel:
            assert ask(channel) == answers(EVERYTHING, "18 in scope")
    finally:
        onward.uninstrument("grpc")


def test_instrument_is_undone_without_a_trace() -> None:
    places = [(grpc.aio, "insecure_channel"), (grpc.aio, "secure_channel")]
    places += [
        (grpc._channel.Channel, f"{one}_{other}") for one in ("unary", "stream") for other in ("unary", "stream")
    ]
    places += [(grpc._channel.Channel, "__init__")]
    before = [getattr(place, name) for place, name in places]
    onward.instrument("grpc")
    onward.instrument("grpc")
    assert all(getattr(place, name) is not one for (place, name), one in zip(places, before, strict=True))
    onward.uninstrument("grpc")
    assert [getattr(place, name) for place, name in places] == before


def test_instrument_and_an_interceptor_together_add_once(echo, instrumented) -> None:
    target = f"127.0.0.1:{echo}"
    with grpc.insecure_channel(target) as channel, onward.scope(METADATA):
        both = grpc.intercept_channel(channel, ClientInterceptor(target))
        assert ask(both) == answers(EVERYTHING, "18 in scope")


def test_a_program_that_imports_grpc_later_is_covered_on_both_sides() -> None:
    code = """
import onward
onward.instrument("grpc", servers=True)
import grpc
def wrapped():
    places = (grpc.server, grpc._channel.Channel.unary_unary, grpc.aio.server, grpc.aio.insecure_channel)
    return [hasattr(place, "__wrapped__") for place in places]
print(*wrapped())
onward.uninstrument()
print(*wrapped())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["True True True True", "False False False False"]


def through(address: str) -> list[tuple[str, object]]:
    return [("grpc.http_proxy", f"http://{address}"), ("grpc.enable_http_proxy", 1)]


@pytest.mark.usefixtures("instrumented")
def test_only_trace_headers_leave_the_mesh(echo) -> None:
    with proxy() as (address, asked), onward.scope(METADATA):
        for host in ("api.example.com", "dns:///api.example.com"):
            with grpc.insecure_channel(f"{host}:{echo}", options=through(address)) as channel:
                assert ask(channel) == answers(TRACE_ONLY, "18 in scope")
        with grpc.insecure_channel(f"reviews.bookinfo:{echo}", options=through(address)) as channel:
            assert ask(channel) == answers(EVERYTHING, "18 in scope")
    assert set(asked) == {f"api.example.com:{echo}", f"reviews.bookinfo:{echo}"}


@pytest.mark.usefixtures("instrumented")
async def test_only_trace_headers_leave_the_mesh_from_coroutines(echo) -> None:
    with proxy() as (address, asked), onward.scope(METADATA):
        async with grpc.aio.insecure_channel(f"api.example.com:{echo}", options=through(address)) as channel:
            assert await ask_aio(channel) == answers_aio(TRACE_ONLY, "18 in scope")
        async with grpc.aio.insecure_channel(f"reviews.bookinfo:{echo}", options=through(address)) as channel:
            assert await ask_aio(channel) == answers_aio(EVERYTHING, "18 in scope")
    assert set(asked) == {f"api.example.com:{echo}", f"reviews.bookinfo:{echo}"}


def test_one_address_out_of_the_mesh_puts_the_channel_out_of_it(echo) -> None:
    target = f"ipv4:127.0.0.1:{echo},192.0.2.1:{echo}"
    with grpc.insecure_channel(f"127.0.0.1:{echo}") as channel, onward.scope(METADATA):
        assert ask(grpc.intercept_channel(channel, ClientInterceptor(target)))[0] == [TRACE_ONLY, ["hello"]]
        inside = ClientInterceptor(f"ipv4:127.0.0.1:{echo},127.0.0.2:{echo}")
        assert ask(grpc.intercept_channel(channel, inside))[0] == [EVERYTHING, ["hello"]]


def test_the_caller_wins_with_the_whole_family(forwarding) -> None:
    with onward.scope(METADATA):
        answer = methods(forwarding)["unary"](b"", metadata=[("tracestate", "mine=1"), ("x-mine", "1")])
    lines, _ = json.loads(answer)
    mine = [["tracestate", "mine=1"], ["x-mine", "1"]]
    assert lines == sorted([*mine, *(line for line in EVERYTHING if line[0] not in {"traceparent", "tracestate"})])


async def test_the_caller_wins_in_coroutines_too(forwarding_aio) -> None:
    for metadata in ([("tracestate", "mine=1")], grpc.aio.Metadata(("tracestate", "mine=1"))):
        with onward.scope(METADATA):
            answer = await methods(forwarding_aio)["unary"](b"", metadata=metadata)
        lines, _ = json.loads(answer)
        assert [line for line in lines if line[0] in {"traceparent", "tracestate"}] == [["tracestate", "mine=1"]]
        assert ["x-request-id", dict(METADATA)["x-request-id"]] in lines


class Tracer(grpc.UnaryUnaryClientInterceptor):
    """A tracer's interceptor, which makes details of its own."""

    class Details(grpc.ClientCallDetails):
        def __init__(self, method: str) -> None:
            self.method = method
            self.timeout = 20
            self.metadata = [("traceparent", "00-" + "a" * 32 + "-" + "b" * 16 + "-01")]

    def intercept_unary_unary(self, continuation, client_call_details, request):
        return continuation(self.Details(client_call_details.method), request)


def test_what_a_tracer_in_front_has_set_wins(echo, instrumented) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{echo}") as channel, onward.scope(METADATA):
        lines, _ = json.loads(methods(grpc.intercept_channel(channel, Tracer()))["unary"](b""))
    found = [value for name, value in lines if name in {"traceparent", "tracestate"}]
    assert found == ["00-" + "a" * 32 + "-" + "b" * 16 + "-01"]
    assert ["x-b3-sampled", "1"] in lines


class Credentials(grpc.AuthMetadataPlugin):
    def __call__(self, context, callback):
        callback([("authorization", "Bearer mine")], None)


def test_a_call_with_credentials_of_its_own_gets_none_of_the_users(tmp_path, instrumented) -> None:
    address = f"unix:{tmp_path / 'echo.sock'}"
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("onward.Relay", {"unary": KINDS["unary"](Echo().unary)})]
    )
    server.add_secure_port(address, grpc.local_server_credentials(grpc.LocalConnectionType.UDS))
    server.start()
    local = grpc.local_channel_credentials(grpc.LocalConnectionType.UDS)
    try:
        with grpc.secure_channel(address, local) as channel, onward.scope(METADATA):
            unary = methods(channel)["unary"]
            bare, _ = json.loads(unary(b""))
            own, _ = json.loads(unary(b"", credentials=grpc.metadata_call_credentials(Credentials())))
    finally:
        server.stop(None).wait()
    assert bare == EVERYTHING
    without = [line for line in EVERYTHING if line[0] not in {"cookie", "authorization", "jwt"}]
    assert own == sorted([*without, ["authorization", "Bearer mine"]])


def test_what_grpc_refuses_stays_behind_and_the_call_goes_on(forwarding, caplog) -> None:
    caplog.set_level("DEBUG", "onward.grpc")
    propagator = onward.Propagator(add=["x-odd!name", "x-canary-bin", "x-other-bin"])
    inbound = [
        ("x-request-id", "7f6c"),
        ("end-user", b"caf\xe9"),
        ("jwt", "a\tb"),
        ("x-odd!name", "1"),
        ("x-canary-bin", "no base64!"),
        ("x-other-bin", "AAH/, AAE="),
    ]
    with onward.scope(propagator.extract(inbound)):
        assert ask(forwarding)[0][0] == [
            ["x-other-bin", [0, 1, 255]],
            ["x-other-bin", [0, 1]],
            ["x-request-id", "7f6c"],
        ]
    assert {record.getMessage() for record in caplog.records} == {
        "a value of `end-user` stays behind: gRPC takes printable ASCII only",
        "a value of `jwt` stays behind: gRPC takes printable ASCII only",
        "`x-odd!name` stays behind: it is no name for gRPC",
        "a value of `x-canary-bin` stays behind: it is not base64",
    }


@pytest.mark.parametrize("text", ["AAAK92UZFs1D3Q==", "AAAK92UZFs1D3Q"])
def test_binary_metadata_is_encoded_once(text) -> None:
    with serve_wire() as (port, seen), grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        intercepted = grpc.intercept_channel(channel, ClientInterceptor(f"127.0.0.1:{port}"))
        with onward.scope([("grpc-trace-bin", text), ("x-request-id", "7f6c")]):
            methods(intercepted)["unary"](b"")
    found = [line for line in seen if line[0] in {"grpc-trace-bin", "x-request-id"}]
    assert sorted(found) == [("grpc-trace-bin", b"AAAK92UZFs1D3Q"), ("x-request-id", b"7f6c")]


def test_grpcio_sends_its_own_user_agent_unless_the_channel_names_another() -> None:
    """What docs/python/grpc.md says of it."""
    with serve_wire() as (port, seen):
        for options, start in (
            ([], b"grpc-python/"),
            ([("grpc.primary_user_agent", "mine/1")], b"mine/1 grpc-python/"),
        ):
            with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel, onward.scope(BOOKINFO):
                methods(grpc.intercept_channel(channel, ClientInterceptor(f"127.0.0.1:{port}")))["unary"](b"")
            (agent,) = (value for name, value in seen if name == "user-agent")
            assert agent.startswith(start)


def test_headers_got_by_hand_become_metadata() -> None:
    assert to_metadata({"x-request-id": "7f6c", "grpc-trace-bin": "AAH/"}) == (
        ("x-request-id", "7f6c"),
        ("grpc-trace-bin", b"\x00\x01\xff"),
    )
    assert to_metadata([("grpc-trace-bin", "AAE"), ("cookie", "")]) == (("grpc-trace-bin", b"\x00\x01"), ("cookie", ""))


@pytest.mark.parametrize("metadata", [[("x-mine",)], [("x-mine", 1)], "x-mine", 1, {"x-mine": "1"}])
def test_metadata_that_is_none_is_for_grpc_to_refuse(echo, forwarding, metadata) -> None:
    def refused(channel) -> tuple[type, str]:
        with pytest.raises(Exception) as caught:
            methods(channel)["unary"](b"", metadata=metadata)
        return caught.type, str(caught.value)

    with grpc.insecure_channel(f"127.0.0.1:{echo}") as bare, onward.scope(METADATA):
        assert refused(forwarding) == refused(bare)

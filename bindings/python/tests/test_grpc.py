"""gRPC in front of gRPC, real servers and clients on loopback: what came into one arrives at the other."""

from __future__ import annotations

import asyncio
import json
import queue
import re
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import onward
import pytest
from grpc_loopback import KINDS, Echo, methods, proxy, serve, serve_aio, serve_wire
from headers import BOOKINFO, CONTEXT_AND_CREDENTIALS
from onward.clients.grpc import ClientInterceptor, _authorities, aio_interceptors, to_metadata
from onward.servers.grpc import AioServerInterceptor, ServerInterceptor

# grpcio writes a `user-agent` of its own, and keeps `grpc-trace-bin` from servers that are written in Python.
METADATA = tuple(sorted(line for line in BOOKINFO if line[0] not in {"user-agent", "grpc-trace-bin"}))
TRACE_ONLY = [list(line) for line in METADATA if line[0] not in CONTEXT_AND_CREDENTIALS]
EVERYTHING = [list(line) for line in METADATA]
# Inbound, grpcio's own `user-agent` is a header like the others.
IN_SCOPE = f"{len(METADATA) + 1} in scope"


def seen() -> bytes:
    return f"{len(onward.current())} in scope".encode()


def stream():
    """Looks at the scope when gRPC asks for the next message."""
    yield seen()
    yield seen()


async def stream_aio():
    yield seen()
    await asyncio.sleep(0)
    yield seen()


def ask(channel) -> list:
    """Calls the echo by every kind of call, and gives each answer."""
    call = methods(channel)
    return [
        json.loads(call["unary"](b"hello")),
        *map(json.loads, call["down"](b"hello")),
        json.loads(call["up"](stream())),
        *map(json.loads, call["both"](stream())),
        json.loads(call["unary"].future(b"hello").result()),
        json.loads(call["unary"].with_call(b"hello")[0]),
        json.loads(call["up"].future(stream()).result()),
    ]


async def ask_aio(channel) -> list:
    call = methods(channel)
    written = call["both"]()
    await written.write(seen())
    await written.write(seen())
    await written.done_writing()
    return [
        json.loads(await call["unary"](b"hello")),
        *[json.loads(answer) async for answer in call["down"](b"hello")],
        json.loads(await call["up"](stream_aio())),
        *[json.loads(answer) async for answer in call["both"](stream_aio())],
        json.loads(await written.read()),
    ]


def answers(lines: list, scope: str) -> list:
    hello, streamed = [lines, ["hello"]], [lines, [scope, scope]]
    return [hello, hello, streamed, streamed, hello, hello, streamed]


def answers_aio(lines: list, scope: str) -> list:
    hello, streamed = [lines, ["hello"]], [lines, [scope, scope]]
    return [hello, hello, streamed, streamed, streamed]


class Front:
    """Calls the echo whenever its code runs: for a call, and for each message of a stream."""

    def __init__(self, channel) -> None:
        self.channel = channel

    def _ask(self) -> bytes:
        return json.dumps(ask(self.channel)).encode()

    def unary(self, request, context):
        return self._ask()

    def down(self, request, context):
        yield self._ask()
        yield self._ask()

    def up(self, requests, context):
        return b"\n".join(self._ask() for _ in requests)

    def both(self, requests, context):
        for _ in requests:
            yield self._ask()


class AioFront:
    def __init__(self, channel) -> None:
        self.channel = channel

    async def _ask(self) -> bytes:
        return json.dumps(await ask_aio(self.channel)).encode()

    async def unary(self, request, context):
        return await self._ask()

    async def down(self, request, context):
        yield await self._ask()
        await asyncio.sleep(0)
        yield await self._ask()

    async def up(self, requests, context):
        return b"\n".join([await self._ask() async for _ in requests])

    async def both(self, requests, context):
        async for _ in requests:
            yield await self._ask()


class PropagatingFront(Front):
    """The same, method by method."""

    unary = onward.propagate(Front.unary)
    down = onward.propagate(Front.down)
    up = onward.propagate(Front.up)
    both = onward.propagate(Front.both)


class PropagatingAioFront(AioFront):
    unary = onward.propagate(AioFront.unary)
    down = onward.propagate(AioFront.down)
    up = onward.propagate(AioFront.up)
    both = onward.propagate(AioFront.both)


class IteratorFront(Front):
    """Plain functions that hand out iterators."""

    def down(self, request, context):
        return (self._ask() for _ in [1, 2])

    def both(self, requests, context):
        return (self._ask() for _ in requests)


def everything_from(front: int, metadata=METADATA) -> dict[str, list]:
    """What a front's four methods answer."""
    with grpc.insecure_channel(f"127.0.0.1:{front}") as channel:
        call = methods(channel)
        answered = {
            "unary": [call["unary"](b"", metadata=metadata)],
            "down": list(call["down"](b"", metadata=metadata)),
            "up": call["up"](iter([b"", b""]), metadata=metadata).splitlines(),
            "both": list(call["both"](iter([b"", b""]), metadata=metadata)),
        }
    return {kind: [json.loads(answer) for answer in found] for kind, found in answered.items()}


def each(answer: list) -> dict[str, list]:
    return {"unary": [answer], "down": [answer, answer], "up": [answer, answer], "both": [answer, answer]}


@pytest.fixture
def echo():
    with serve(Echo()) as port:
        yield port


@pytest.fixture
def forwarding(echo):
    target = f"127.0.0.1:{echo}"
    with grpc.insecure_channel(target) as channel:
        yield grpc.intercept_channel(channel, ClientInterceptor(target))


@pytest.fixture
async def forwarding_aio(echo):
    target = f"127.0.0.1:{echo}"
    async with grpc.aio.insecure_channel(target, interceptors=aio_interceptors(target)) as channel:
        yield channel


@pytest.mark.parametrize("front", [Front, IteratorFront])
def test_the_interceptors_forward_by_every_kind_of_call_and_for_each_message(forwarding, front) -> None:
    with serve(front(forwarding), ServerInterceptor()) as port:
        assert everything_from(port) == each(answers(EVERYTHING, IN_SCOPE))


def test_the_decorator_forwards_by_every_kind_of_call_and_for_each_message(forwarding) -> None:
    with serve(PropagatingFront(forwarding)) as port:
        assert everything_from(port) == each(answers(EVERYTHING, IN_SCOPE))


@pytest.mark.parametrize("interceptors", [[], [ServerInterceptor()]])
def test_without_either_side_nothing_is_forwarded(echo, forwarding, interceptors) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{echo}") as bare:
        channel, scope = (bare, IN_SCOPE) if interceptors else (forwarding, "0 in scope")
        with serve(Front(channel), *interceptors) as port:
            assert everything_from(port) == each(answers([], scope))


@pytest.mark.parametrize(("front", "interceptors"), [(AioFront, [AioServerInterceptor()]), (PropagatingAioFront, [])])
async def test_coroutines_forward_by_every_kind_of_call_and_for_each_message(
    forwarding_aio, front, interceptors
) -> None:
    async with serve_aio(front(forwarding_aio), *interceptors) as port:
        answered = await asyncio.to_thread(everything_from, port)
    assert answered == each(answers_aio(EVERYTHING, IN_SCOPE))


@pytest.mark.parametrize(
    ("front", "interceptors"),
    [(Front, [AioServerInterceptor()]), (IteratorFront, [AioServerInterceptor()]), (PropagatingFront, [])],
)
async def test_plain_methods_of_an_asynchronous_server_are_in_scope_too(forwarding, front, interceptors) -> None:
    async with serve_aio(front(forwarding), *interceptors) as port:
        answered = await asyncio.to_thread(everything_from, port)
    assert answered == each(answers(EVERYTHING, IN_SCOPE))


@pytest.mark.parametrize("interceptors", [[], [AioServerInterceptor()]])
async def test_without_either_side_nothing_is_forwarded_by_coroutines(echo, forwarding_aio, interceptors) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{echo}") as bare:
        channel, scope = (bare, IN_SCOPE) if interceptors else (forwarding_aio, "0 in scope")
        async with serve_aio(AioFront(channel), *interceptors) as port:
            answered = await asyncio.to_thread(everything_from, port)
    assert answered == each(answers_aio([], scope))


def test_an_unknown_method_is_still_unknown(forwarding) -> None:
    with serve(object(), ServerInterceptor()) as port, grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        with pytest.raises(grpc.RpcError) as caught:
            methods(channel)["unary"](b"", metadata=METADATA)
        assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


async def test_an_unknown_method_of_an_asynchronous_server_is_still_unknown() -> None:
    async with (
        serve_aio(object(), AioServerInterceptor()) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await methods(channel)["unary"](b"", metadata=METADATA)
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


class Looking:
    """Answers with what it finds in its context, by hand."""

    def unary(self, request, context):
        by_hand = onward.get_forward_headers(context)
        assert by_hand == dict(onward.default().extract(context).lines())
        assert onward.Propagator(add="x-canary-bin").get_forward_headers(context).pop("x-canary-bin") == "AAH/"
        return json.dumps(by_hand).encode()


class AioLooking:
    async def unary(self, request, context):
        return Looking().unary(request, context)


def expect_by_hand(answer: bytes) -> None:
    found = json.loads(answer)
    assert found.pop("user-agent").startswith("grpc-")
    assert found == dict(METADATA)


def test_the_headers_are_read_from_a_context_by_hand() -> None:
    with serve(Looking()) as port, grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        expect_by_hand(methods(channel)["unary"](b"", metadata=(*METADATA, ("x-canary-bin", b"\x00\x01\xff"))))


async def test_the_headers_are_read_from_an_asynchronous_context_by_hand() -> None:
    async with serve_aio(AioLooking()) as port, grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = methods(channel)["unary"](b"", metadata=(*METADATA, ("x-canary-bin", b"\x00\x01\xff")))
        expect_by_hand(await call)


def concurrent(number: int) -> list:
    return [["end-user", f"u{number}"], ["x-request-id", f"r{number}"]]


def test_calls_at_the_same_time_keep_their_own_headers(forwarding) -> None:
    together = threading.Barrier(8)

    class Waiting(Front):
        def down(self, request, context):
            together.wait(20)
            yield from super().down(request, context)

    def go(number: int) -> None:
        for _ in range(3):
            metadata = [tuple(line) for line in concurrent(number)]
            for answer in down(b"", metadata=metadata):
                assert json.loads(answer) == answers(concurrent(number), "3 in scope")

    with (
        serve(Waiting(forwarding), ServerInterceptor()) as port,
        grpc.insecure_channel(f"127.0.0.1:{port}") as channel,
        ThreadPoolExecutor(8) as pool,
    ):
        down = methods(channel)["down"]
        list(pool.map(go, range(8)))


async def test_coroutines_at_the_same_time_keep_their_own_headers(forwarding_aio) -> None:
    async def go(number: int) -> None:
        for _ in range(3):
            metadata = [tuple(line) for line in concurrent(number)]
            async for answer in down(b"", metadata=metadata):
                assert json.loads(answer) == answers_aio(concurrent(number), "3 in scope")

    async with (
        serve_aio(AioFront(forwarding_aio), AioServerInterceptor()) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        down = methods(channel)["down"]
        await asyncio.gather(*map(go, range(8)))


def test_callbacks_of_a_call_have_the_scope_by_itself_and_those_of_a_context_need_carry() -> None:
    found: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()

    class Calling:
        def unary(self, request, context):
            context.add_callback(lambda: found.put(("context", seen())))
            context.add_callback(onward.carry(lambda: found.put(("context, carried", seen()))))
            return request

    with serve(Calling(), ServerInterceptor()) as port, grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        with onward.scope(METADATA):
            future = methods(channel)["unary"].future(b"", metadata=METADATA)
            future.add_done_callback(lambda _: found.put(("call", seen())))
        assert sorted(found.get(timeout=20) for _ in range(3)) == [
            ("call", b"18 in scope"),
            ("context", b"0 in scope"),
            ("context, carried", IN_SCOPE.encode()),
        ]


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


def test_instrument_is_undone_without_a_trace() -> None:
    places = [(place, name) for place in (grpc, grpc.aio) for name in ("insecure_channel", "secure_channel")]
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


def test_servers_are_intercepted_by_instrument_too(forwarding) -> None:
    before = [grpc.server, grpc.aio.server]
    onward.instrument("grpc", servers=True)
    try:
        with serve(Front(forwarding)) as port:
            assert everything_from(port) == each(answers(EVERYTHING, IN_SCOPE))
    finally:
        onward.uninstrument()
    assert [grpc.server, grpc.aio.server] == before


async def test_asynchronous_servers_are_intercepted_by_instrument_too(forwarding_aio) -> None:
    onward.instrument("grpc", servers=True)
    try:
        async with serve_aio(AioFront(forwarding_aio)) as port:
            answered = await asyncio.to_thread(everything_from, port)
    finally:
        onward.uninstrument()
    assert answered == each(answers_aio(EVERYTHING, IN_SCOPE))


def test_a_program_that_imports_grpc_later_is_covered_on_both_sides() -> None:
    code = """
import onward
onward.instrument("grpc", servers=True)
import grpc
print(*(hasattr(made, "__wrapped__") for made in (grpc.server, grpc.insecure_channel, grpc.aio.server, grpc.aio.insecure_channel)))
onward.uninstrument()
print(*(hasattr(made, "__wrapped__") for made in (grpc.server, grpc.insecure_channel, grpc.aio.server, grpc.aio.insecure_channel)))
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


@pytest.mark.parametrize(
    ("target", "authorities"),
    [
        ("ratings:50051", ["ratings:50051"]),
        ("ratings", ["ratings"]),
        ("dns:ratings:50051", ["ratings:50051"]),
        ("dns:///ratings:50051", ["ratings:50051"]),
        ("dns://10.0.0.10/ratings:50051", ["ratings:50051"]),
        ("dns:///api%2Eexample%2Ecom", ["api.example.com"]),
        ("xds:///ratings.bookinfo", ["ratings.bookinfo"]),
        ("ipv4:127.0.0.1:50051", ["127.0.0.1:50051"]),
        ("ipv4:///127.0.0.1:50051", ["127.0.0.1:50051"]),
        ("ipv4:127.0.0.1:50051,192.0.2.1:50051", ["127.0.0.1:50051", "192.0.2.1:50051"]),
        ("ipv6:[::1]:50051", ["[::1]:50051"]),
        ("ipv6:%5B::1%5D:50051", ["[::1]:50051"]),
        ("unix:/run/ratings.sock", ["localhost"]),
        ("unix:///run/ratings.sock", ["localhost"]),
        ("unix-abstract:ratings", ["localhost"]),
        ("vsock:3:50051", ["vsock:3:50051"]),
    ],
)
def test_a_target_stands_for_authorities(target, authorities) -> None:
    assert _authorities(target) == authorities


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


def test_text_that_grpc_has_decoded_goes_on_as_the_bytes_that_came() -> None:
    class Context:
        def invocation_metadata(self):
            return (("end-user", "jas\xf6n"), ("cookie", "a=1"), ("cookie", "b=2"))

    lines = onward.default().extract(Context()).lines()
    assert lines == [("end-user", b"jas\xc3\xb6n".decode("latin-1")), ("cookie", "a=1"), ("cookie", "b=2")]


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


class Message:
    """What protobuf makes of a message with these fields."""

    DESCRIPTOR = object()
    method = "GET"
    headers = {"x-request-id": "of the message"}


def test_the_decorator_takes_the_context_and_not_a_message_that_looks_like_a_request() -> None:
    class Context:
        def invocation_metadata(self):
            return (("x-request-id", "of the call"),)

    @onward.propagate
    def method(self, request, context):
        return dict(onward.current().items())

    assert method(object(), Message(), Context()) == {"x-request-id": "of the call"}


PAGE = (Path(__file__).parents[3] / "docs/python/grpc.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


class Ratings:
    """Answers a call of any method with its metadata."""

    def service(self, details):
        return KINDS["unary"](Echo().unary)


@pytest.fixture
def ratings():
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers([Ratings()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(None).wait()


@pytest.fixture
def page(ratings):
    """The page's code with addresses of this machine, and the port that it serves."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    def local(code: str) -> str:
        return code.replace("ratings:50051", f"127.0.0.1:{ratings}").replace("0.0.0.0:50051", f"127.0.0.1:{port}")

    yield local, port
    onward.uninstrument()


def reviews(port: int) -> list:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        get = channel.unary_unary("/bookinfo.Reviews/Get")
        return json.loads(get(b"0", metadata=METADATA, wait_for_ready=True, timeout=20))


@pytest.mark.parametrize(("command", "expected"), [(["-m", "onward", "python"], EVERYTHING), ([], [])])
def test_a_program_without_a_line_of_onward_forwards_under_onward_run_alone(ratings, page, command, expected) -> None:
    _, port = page
    program = Path(__file__).parent / "programs/grpc_server.py"
    with subprocess.Popen([sys.executable, *command, str(program), str(port), str(ratings)]) as running:
        try:
            assert reviews(port) == [expected, ["0"]]
        finally:
            running.terminate()


def test_the_pages_program_forwards_everything(page) -> None:
    local, port = page
    code, end = BLOCKS[0].rsplit("\n", 2)[:2]
    assert end == "server.wait_for_termination()"
    names: dict = {}
    exec(local(code), names)
    try:
        assert reviews(port) == [EVERYTHING, ["0"]]
    finally:
        names["server"].stop(None).wait()
        names["channel"].close()


async def test_the_pages_asynchronous_program_forwards_everything(page) -> None:
    local, port = page
    code, end = BLOCKS[1].rsplit("\n", 2)[:2]
    assert end == "asyncio.run(main())"
    names: dict = {}
    exec(local(code), names)
    serving = asyncio.create_task(names["main"]())
    try:
        assert await asyncio.to_thread(reviews, port) == [EVERYTHING, ["0"]]
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def test_the_pages_pieces_forward_everything(page) -> None:
    local, _ = page
    names: dict = {}
    for block in BLOCKS[2:]:
        exec(local(block), names)

    class Context:
        def invocation_metadata(self):
            return METADATA

    assert names["Reviews"]().Get(b"", Context()) == f"{len(METADATA)} headers go on".encode()
    assert json.loads(names["Get"](b"0", Context())) == [EVERYTHING, ["0"]]
    with onward.scope(METADATA):
        answer = names["channel"].unary_unary("/bookinfo.Ratings/Get")(b"0")
        assert json.loads(answer) == [EVERYTHING, ["0"]]
        async with names["make_channel"]() as channel:
            assert json.loads(await channel.unary_unary("/bookinfo.Ratings/Get")(b"0")) == [EVERYTHING, ["0"]]
    names["channel"].close()

"""gRPC in front of gRPC, real servers and clients on loopback: what came into one arrives at the other."""

from __future__ import annotations

import asyncio
import json
import queue
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import onward
import pytest
from grpc_loopback import (
    EVERYTHING,
    IN_SCOPE,
    METADATA,
    Echo,
    answers,
    answers_aio,
    ask,
    ask_aio,
    each,
    everything_from,
    methods,
    seen,
    serve,
    serve_aio,
)
from onward.servers.grpc import AioServerInterceptor, ServerInterceptor


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


class Guard(grpc.ServerInterceptor):
    """Asks somebody else whether a call may go on."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []

    def intercept_service(self, continuation, handler_call_details):
        self.seen.append(seen())
        return continuation(handler_call_details)


class AioGuard(Guard, grpc.aio.ServerInterceptor):
    async def intercept_service(self, continuation, handler_call_details):
        return await super().intercept_service(continuation, handler_call_details)


def test_interceptors_behind_are_in_scope_and_those_in_front_are_not() -> None:
    front, behind = Guard(), Guard()
    with serve(Echo(), front, ServerInterceptor(), behind) as port:
        everything_from(port)
    assert front.seen == [b"0 in scope"] * 4
    assert behind.seen == [IN_SCOPE.encode()] * 4


async def test_interceptors_behind_are_in_scope_on_an_asynchronous_server_too() -> None:
    front, behind = AioGuard(), AioGuard()
    async with serve_aio(Echo(), front, AioServerInterceptor(), behind) as port:
        await asyncio.to_thread(everything_from, port)
    assert front.seen == [b"0 in scope"] * 4
    assert behind.seen == [IN_SCOPE.encode()] * 4


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


def test_text_that_grpc_has_decoded_goes_on_as_the_bytes_that_came() -> None:
    class Context:
        def invocation_metadata(self):
            return (("end-user", "jas\xf6n"), ("cookie", "a=1"), ("cookie", "b=2"))

    lines = onward.default().extract(Context()).lines()
    assert lines == [("end-user", b"jas\xc3\xb6n".decode("latin-1")), ("cookie", "a=1"), ("cookie", "b=2")]


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

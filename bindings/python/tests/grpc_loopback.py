"""gRPC servers on loopback, without generated code: a message is its bytes, which are JSON here."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
import hypercorn.asyncio
import hypercorn.config
import onward
from headers import BOOKINFO, CONTEXT_AND_CREDENTIALS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

KINDS = {
    "unary": grpc.unary_unary_rpc_method_handler,
    "down": grpc.unary_stream_rpc_method_handler,
    "up": grpc.stream_unary_rpc_method_handler,
    "both": grpc.stream_stream_rpc_method_handler,
}


def handlers(service: Any) -> grpc.GenericRpcHandler:
    """What of a servicer's four methods there is."""
    made = {kind: make(getattr(service, kind)) for kind, make in KINDS.items() if hasattr(service, kind)}
    return grpc.method_handlers_generic_handler("onward.Relay", made)


def methods(channel: Any) -> dict[str, Any]:
    """The four methods of a stub."""
    make = {
        "unary": channel.unary_unary,
        "down": channel.unary_stream,
        "up": channel.stream_unary,
        "both": channel.stream_stream,
    }
    return {kind: method(f"/onward.Relay/{kind}") for kind, method in make.items()}


@contextlib.contextmanager
def serve(service: Any, *interceptors: grpc.ServerInterceptor, address: str = "127.0.0.1:0") -> Iterator[int]:
    server = grpc.server(ThreadPoolExecutor(16), interceptors=interceptors)
    server.add_generic_rpc_handlers([handlers(service)])
    port = server.add_insecure_port(address)
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


@contextlib.asynccontextmanager
async def serve_aio(service: Any, *interceptors: grpc.aio.ServerInterceptor) -> AsyncIterator[int]:
    server = grpc.aio.server(ThreadPoolExecutor(4), interceptors=interceptors)
    server.add_generic_rpc_handlers([handlers(service)])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


class Echo:
    """Answers with the metadata of the call and the messages that it was sent."""

    def unary(self, request, context):
        return self._answer([request], context)

    def down(self, request, context):
        yield self._answer([request], context)

    def up(self, requests, context):
        return self._answer(requests, context)

    def both(self, requests, context):
        yield self._answer(requests, context)

    def _answer(self, requests, context) -> bytes:
        # gRPC has an order of its own, and a `user-agent` of its own, whatever it is given.
        lines = sorted(
            (line for line in context.invocation_metadata() if line.key != "user-agent"), key=lambda line: line.key
        )
        lines = [(key, value if isinstance(value, str) else list(value)) for key, value in lines]
        return json.dumps([lines, [request.decode() for request in requests]]).encode()


@contextlib.contextmanager
def serve_wire() -> Iterator[tuple[int, list[tuple[str, bytes]]]]:
    """Answers every unary call over plain HTTP/2: its port, and the header lines as they stood on the wire."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    seen: list[tuple[str, bytes]] = []

    async def app(scope, receive, send) -> None:
        if scope["type"] != "http":
            return
        seen[:] = [(name.decode(), value) for name, value in scope["headers"]]
        while (await receive()).get("more_body"):
            pass
        headers = [(b"content-type", b"application/grpc")]
        await send({"type": "http.response.start", "status": 200, "headers": headers, "trailers": True})
        await send({"type": "http.response.body", "body": b"\0\0\0\0\0"})
        await send({"type": "http.response.trailers", "headers": [(b"grpc-status", b"0")]})

    config = hypercorn.config.Config()
    # Hypercorn takes the listening socket over, and closes it.
    config.bind = [f"fd://{listener.detach()}"]
    config.errorlog = config.accesslog = None
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    serving = hypercorn.asyncio.serve(app, config, shutdown_trigger=stop.wait)
    thread = threading.Thread(target=loop.run_until_complete, args=[serving], daemon=True)
    thread.start()
    try:
        yield port, seen
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


@contextlib.contextmanager
def proxy() -> Iterator[tuple[str, list[str]]]:
    """An HTTP proxy that leads every name to loopback: its address, and the names that it was asked for."""
    listener = socket.create_server(("127.0.0.1", 0))
    asked: list[str] = []
    connections: list[socket.socket] = [listener]

    def pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                head = b""
                while b"\r\n\r\n" not in head:
                    head += client.recv(65536)
                authority = head.split()[1].decode()
                asked.append(authority)
                server = socket.create_connection(("127.0.0.1", int(authority.rpartition(":")[2])))
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                connections.extend([client, server])
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=pump, args=ends, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}", asked
    finally:
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()


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

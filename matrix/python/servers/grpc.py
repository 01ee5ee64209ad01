"""grpcio: blocking and asynchronous, asked by a gRPC call."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
import onward
from onward.servers.grpc import AioServerInterceptor, ServerInterceptor

import ask

from .server import Answer, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

# grpcio keeps it to itself.
LACKS = frozenset({"grpc-trace-bin"})


class _Middleware(ServerInterceptor):
    """Covers one method."""

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        if handler_call_details.method != "/matrix.Relay/middleware":
            return continuation(handler_call_details)
        return super().intercept_service(continuation, handler_call_details)


class _AioMiddleware(AioServerInterceptor):
    """Covers one method."""

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        if handler_call_details.method != "/matrix.Relay/middleware":
            return await continuation(handler_call_details)
        return await super().intercept_service(continuation, handler_call_details)


def _handlers(method: Any) -> grpc.GenericRpcHandler:
    methods = {"attribute": onward.propagate(method), "middleware": method, "bare": method}
    return grpc.method_handlers_generic_handler(
        "matrix.Relay", {name: grpc.unary_unary_rpc_method_handler(one) for name, one in methods.items()}
    )


@contextlib.contextmanager
def start(answer: Answer) -> Iterator[int]:
    """Start one with a pool of threads."""

    def method(request: bytes, _context: grpc.ServicerContext) -> bytes:
        return answer.call(request.decode()).encode()

    server = grpc.server(ThreadPoolExecutor(4), interceptors=[_Middleware()])
    server.add_generic_rpc_handlers([_handlers(method)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


@contextlib.contextmanager
def start_aio(answer: Answer) -> Iterator[int]:
    """Start one on an event loop, in a thread of its own."""
    loop, stop, started = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
    ports: list[int] = []

    async def method(request: bytes, _context: Any) -> bytes:
        return (await answer.acall(request.decode())).encode()

    async def main() -> None:
        server = grpc.aio.server(interceptors=[_AioMiddleware()])
        server.add_generic_rpc_handlers([_handlers(method)])
        ports.append(server.add_insecure_port("127.0.0.1:0"))
        await server.start()
        started.set()
        await stop.wait()
        await server.stop(None)
        await loop.shutdown_default_executor()

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()), daemon=True)
    thread.start()
    try:
        started.wait()
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


SERVERS = (
    Server("gRPC", start, ask=ask.over_grpc, lacks=LACKS),
    Server("gRPC, async", start_aio, ask=ask.over_grpc, lacks=LACKS),
)

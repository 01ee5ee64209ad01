"""What a client with Onward on it takes beyond the call itself: for one inbound request that makes one call.

The calls are real, over a kept connection on loopback. What counts is the time that the calling thread has had of a
processor, less that of the same call without headers in the same round.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import importlib
import socket
import statistics
import threading
import time
from typing import TYPE_CHECKING, Any

import aiohttp
import flask
import httpx
import onward
import opentelemetry.context
import opentelemetry.propagate
import requests
import urllib3
from carriers import PROPAGATOR, EnvironGetter, by_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CALLS = 25
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextlib.contextmanager
def answering() -> Iterator[str]:
    """A server that answers everything alike, and gives its address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with connection:
            while connection.recv(65536):
                connection.sendall(ANSWER)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=[connection], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@contextlib.contextmanager
def by_requests(url: str) -> Iterator[Callable[[dict[str, str]], Any]]:
    with requests.Session() as session:
        yield lambda headers: session.get(url, headers=headers)


@contextlib.contextmanager
def by_urllib3(url: str) -> Iterator[Callable[[dict[str, str]], Any]]:
    with urllib3.PoolManager() as pool:
        yield lambda headers: pool.request("GET", url, headers=headers)


@contextlib.contextmanager
def by_httpx(url: str) -> Iterator[Callable[[dict[str, str]], Any]]:
    with httpx.Client() as client:
        yield lambda headers: client.get(url, headers=headers)


@contextlib.contextmanager
def by_http_client(url: str) -> Iterator[Callable[[dict[str, str]], Any]]:
    with contextlib.closing(http.client.HTTPConnection(url.split("/")[2])) as connection:

        def get(headers: dict[str, str]) -> None:
            connection.request("GET", "/", headers=headers)
            connection.getresponse().read()

        yield get


@contextlib.asynccontextmanager
async def by_httpx_async(url: str) -> Any:
    async with httpx.AsyncClient() as client:
        yield lambda headers: client.get(url, headers=headers)


@contextlib.asynccontextmanager
async def by_aiohttp(url: str) -> Any:
    async with aiohttp.ClientSession() as session:

        async def get(headers: dict[str, str]) -> None:
            async with session.get(url, headers=headers) as response:
                await response.read()

        yield get


# Each with the name that `onward.instrument` knows it by, and OpenTelemetry's instrumentation, if there is one.
CLIENTS: dict[str, tuple[Any, str, str | None]] = {
    "requests": (by_requests, "requests", "requests.RequestsInstrumentor"),
    "urllib3": (by_urllib3, "urllib3", "urllib3.URLLib3Instrumentor"),
    "httpx": (by_httpx, "httpx", "httpx.HTTPXClientInstrumentor"),
    "httpx, async": (by_httpx_async, "httpx", "httpx.HTTPXClientInstrumentor"),
    "aiohttp": (by_aiohttp, "aiohttp", "aiohttp_client.AioHttpClientInstrumentor"),
    "http.client": (by_http_client, "http.client", None),
}


@contextlib.contextmanager
def bare() -> Iterator[dict[str, str]]:
    yield {}


@contextlib.contextmanager
def hand_written() -> Iterator[dict[str, str]]:
    yield by_headers(flask.request)


@contextlib.contextmanager
def forwarding() -> Iterator[dict[str, str]]:
    with onward.scope(flask.request):
        yield {}


@contextlib.contextmanager
def traced() -> Iterator[dict[str, str]]:
    token = opentelemetry.context.attach(PROPAGATOR.extract(flask.request.environ, None, EnvironGetter()))
    try:
        yield {}
    finally:
        opentelemetry.context.detach(token)


@contextlib.contextmanager
def patched(contender: str, name: str, instrumentor: str | None) -> Iterator[None]:
    """Have the library instrumented by Onward, by OpenTelemetry, or by nobody."""
    if contender == "onward":
        onward.instrument(name)
        try:
            yield
        finally:
            onward.uninstrument(name)
    elif contender == "opentelemetry" and instrumentor is not None:
        module, kind = instrumentor.split(".")
        tracer = getattr(importlib.import_module(f"opentelemetry.instrumentation.{module}"), kind)()
        tracer.instrument()
        try:
            yield
        finally:
            tracer.uninstrument()
    else:
        yield


def once(make: Any, url: str, around: Callable[[], Any]) -> float:
    """Nanoseconds for one call, of this thread's processor."""
    made = make(url)
    if hasattr(made, "__aenter__"):
        return asyncio.run(once_async(made, around))
    with made as get:
        get({})
        start = time.thread_time()
        for _ in range(CALLS):
            with around() as headers:
                get(headers)
        return (time.thread_time() - start) / CALLS * 1e9


async def once_async(made: Any, around: Callable[[], Any]) -> float:
    async with made as get:
        await get({})
        start = time.thread_time()
        for _ in range(CALLS):
            with around() as headers:
                await get(headers)
        return (time.thread_time() - start) / CALLS * 1e9


def measure(client: str, url: str, rounds: int) -> dict[str, float]:
    """Give what each contender takes beyond the bare call."""
    make, name, instrumentor = CLIENTS[client]
    contenders = {"onward": forwarding, "hand_written": hand_written}
    if instrumentor is not None:
        contenders["opentelemetry"] = traced
    opentelemetry.propagate.set_global_textmap(PROPAGATOR)
    taken: dict[str, list[float]] = {contender: [] for contender in contenders}
    for _ in range(rounds):
        without = once(make, url, bare)
        for contender, around in contenders.items():
            with patched(contender, name, instrumentor):
                taken[contender].append(once(make, url, around) - without)
    return {contender: statistics.median(times) for contender, times in taken.items()}

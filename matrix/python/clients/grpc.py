"""grpcio: blocking and asynchronous, each instrumented, and with Onward's interceptors."""

from __future__ import annotations

import contextlib
import urllib.parse
from typing import TYPE_CHECKING, Any

import grpc
from onward.clients.grpc import ClientInterceptor, aio_interceptors

from . import proxy
from .client import OUTSIDE, PATIENCE, Async, Blocking

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# gRPC takes printable ASCII only, and writes its own `user-agent`.
LACKS = frozenset({"end-user", "user-agent"})


@contextlib.contextmanager
def route(url: str) -> Iterator[dict[str, Any]]:
    """Give the target of a channel, and the options that make its name lead to loopback."""
    authority = urllib.parse.urlsplit(url).netloc
    if not authority.startswith(OUTSIDE):
        yield {"target": authority}
        return
    with proxy.running() as address:
        yield {"target": authority, "options": [("grpc.http_proxy", address)]}


def method(channel: Any, url: str) -> Any:
    """Give the method that the URL's path names. Its answer is protobuf's `StringValue`."""
    parts = urllib.parse.urlsplit(url)
    path = urllib.parse.urlunsplit(parts._replace(scheme="", netloc=""))
    return channel.unary_unary(path, response_deserializer=lambda message: message[2:].decode())


class Instrumented(Blocking):
    """Nothing in the code."""

    name = "grpcio"
    instrument: tuple[str, ...] = ("grpc",)
    follows = False
    lacks = LACKS

    def channel(self, place: dict[str, Any]) -> grpc.Channel:
        """Make the channel."""
        return grpc.insecure_channel(**place)

    def get(self, url: str, headers: Mapping[str, str]) -> str:
        with route(url) as place, self.channel(place) as channel:
            try:
                return str(method(channel, url)(b"", metadata=tuple(headers.items()), timeout=PATIENCE))
            except grpc.RpcError as error:
                return str(error)


class Explicit(Instrumented):
    """Onward's interceptor."""

    name = "grpcio, `ClientInterceptor`"
    instrument: tuple[str, ...] = ()

    def channel(self, place: dict[str, Any]) -> grpc.Channel:
        return grpc.intercept_channel(super().channel(place), ClientInterceptor(place["target"]))


class AsyncInstrumented(Async):
    """Nothing in the code."""

    name = "grpcio, async"
    instrument: tuple[str, ...] = ("grpc",)
    follows = False
    lacks = LACKS

    def channel(self, place: dict[str, Any]) -> grpc.aio.Channel:
        """Make the channel."""
        return grpc.aio.insecure_channel(**place)

    async def aget(self, url: str, headers: Mapping[str, str]) -> str:
        with route(url) as place:
            async with self.channel(place) as channel:
                try:
                    return str(await method(channel, url)(b"", metadata=tuple(headers.items()), timeout=PATIENCE))
                except grpc.RpcError as error:
                    return str(error)


class AsyncExplicit(AsyncInstrumented):
    """Onward's interceptors."""

    name = "grpcio, `aio_interceptors`"
    instrument: tuple[str, ...] = ()

    def channel(self, place: dict[str, Any]) -> grpc.aio.Channel:
        return grpc.aio.insecure_channel(**place, interceptors=aio_interceptors(place["target"]))


CLIENTS = (Instrumented(), Explicit(), AsyncInstrumented(), AsyncExplicit())

"""`httpx`: every request of a client, each hop of a redirect on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from onward._scope import inbound

from ._outbound import additions, unwrap, wrap

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

_LIBRARY = {"user-agent": f"python-httpx/{httpx.__version__}"}
# Where a request's extensions say what its hops share. The request that is sent says there that it is decided about.
_KEY = "onward"
_DECIDED = object()


def _prepare(request: httpx.Request) -> httpx.Request:
    """Give the request as it is to be sent.

    The caller's own object keeps its headers: it is what redirects start from, and may be sent again.
    """
    if not inbound() or request.extensions.get(_KEY) is _DECIDED:
        return request
    hops = request.extensions.setdefault(_KEY, object())
    raw = request.headers.raw
    lines = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw]
    add = additions(str(request.url), lines, _LIBRARY, hops, repeats=True)
    names = {name.encode() for name, _ in add}
    kept = [(name, value) for name, value in raw if name.lower() not in names]
    sent = object.__new__(type(request))
    vars(sent).update(vars(request))
    sent.headers = httpx.Headers(kept + [(name.encode(), value.encode("latin-1")) for name, value in add])
    sent.extensions = {**request.extensions, _KEY: _DECIDED}
    return sent


class Transport(httpx.BaseTransport):
    """A transport that adds the headers, around another: by default around httpx's own.

    ``httpx.Client(transport=Transport())``; what is to be set on httpx's own goes there:
    ``Transport(httpx.HTTPTransport(retries=2))``.
    """

    def __init__(self, transport: httpx.BaseTransport | None = None) -> None:
        self._transport = httpx.HTTPTransport() if transport is None else transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._transport.handle_request(_prepare(request))

    def __enter__(self) -> Self:
        self._transport.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self._transport.__exit__(exc_type, exc_value, traceback)

    def close(self) -> None:
        self._transport.close()


class AsyncTransport(httpx.AsyncBaseTransport):
    """The same for `httpx.AsyncClient`."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._transport = httpx.AsyncHTTPTransport() if transport is None else transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._transport.handle_async_request(_prepare(request))

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self._transport.__aexit__(exc_type, exc_value, traceback)

    async def aclose(self) -> None:
        await self._transport.aclose()


def patch(module: Any) -> Callable[[], None]:
    """Wrap what sends one hop of a request, after a client's event hooks, whatever its transport is."""

    def send(original: Callable[..., Any], client: Any, request: Any) -> Any:
        response = original(client, _prepare(request))
        response.request = request
        return response

    async def send_async(original: Callable[..., Any], client: Any, request: Any) -> Any:
        response = await original(client, _prepare(request))
        response.request = request
        return response

    name = "_send_single_request"
    return unwrap(wrap(module.Client, name, send), wrap(module.AsyncClient, name, send_async))

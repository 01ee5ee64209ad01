"""`httpx`: every request of a client, each hop of a redirect on its own."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import httpx

from onward._scope import inbound, is_lost

from ._outbound import decide, lost, unwrap, wrap

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from typing_extensions import Self

    from ._outbound import Decision

_LIBRARY = {"user-agent": f"python-httpx/{httpx.__version__}"}
# Where a request's extensions say what its hops share. The request that is sent says there that it is decided about.
_KEY = "onward"
_DECIDED = object()


class _Added(bytes):
    """A value that Onward put on a request."""


def _send(original: Callable[[httpx.Request], httpx.Response], request: httpx.Request) -> httpx.Response:
    if is_lost():
        with lost(str(request.url)):
            return original(request)
    return original(_prepare(request, _look_again))


async def _send_async(
    original: Callable[[httpx.Request], Awaitable[httpx.Response]], request: httpx.Request
) -> httpx.Response:
    if is_lost():
        with lost(str(request.url)):
            return await original(request)
    return await original(_prepare(request, _look_again_async))


def _prepare(request: httpx.Request, look_again: Callable[..., Any]) -> httpx.Request:
    """Give the request as it is to be sent.

    The caller's own object keeps its headers: it is what redirects start from, and may be sent again.
    """
    if not inbound() or request.extensions.get(_KEY) is _DECIDED:
        return request
    hops = request.extensions.setdefault(_KEY, object())
    decision = decide(str(request.url), _text(request.headers.raw), _LIBRARY, hops, repeats=True)
    sent = object.__new__(type(request))
    vars(sent).update(vars(request))
    sent.headers = httpx.Headers(_with(decision, request.headers.raw))
    sent.extensions = {**request.extensions, _KEY: _DECIDED}
    if decision.added and decision.span is not None:
        sent.extensions["trace"] = functools.partial(look_again, decision, request.extensions.get("trace"))
    return sent


def _text(raw: list[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw]


def _with(decision: Decision, raw: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    names = {name.encode() for name, _ in decision.added}
    kept = [(name, value) for name, value in raw if name.lower() not in names]
    return kept + [(name.encode(), _Added(value.encode("latin-1"))) for name, value in decision.added]


def _look_again(decision: Decision, callers: Callable[..., Any] | None, event: str, info: dict[str, Any]) -> Any:
    """Decide once more where a tracer, as a transport around the last, has made a span for the request since.

    That is when httpcore is about to write its head, of which the extension `trace` is told; the caller may have one.
    """
    if event.endswith(".send_request_headers.started") and decision.is_outdated():
        request = info["request"]
        kept = [(name, value) for name, value in request.headers if not isinstance(value, _Added)]
        # A proxy that is asked for a tunnel is told of in the same way.
        if len(kept) < len(request.headers):
            request.headers = _with(decision.again(_text(kept)), kept)
    return callers(event, info) if callers else None


async def _look_again_async(
    decision: Decision, callers: Callable[..., Any] | None, event: str, info: dict[str, Any]
) -> None:
    told = _look_again(decision, callers, event, info)
    if told is not None:
        await told


class Transport(httpx.BaseTransport):
    """A transport that adds the headers, around another: by default around httpx's own.

    ``httpx.Client(transport=Transport())``; what is to be set on httpx's own goes there:
    ``Transport(httpx.HTTPTransport(retries=2))``.
    """

    def __init__(self, transport: httpx.BaseTransport | None = None) -> None:
        self._transport = httpx.HTTPTransport() if transport is None else transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return _send(self._transport.handle_request, request)

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
        return await _send_async(self._transport.handle_async_request, request)

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
        response = _send(functools.partial(original, client), request)
        response.request = request
        return response

    async def send_async(original: Callable[..., Any], client: Any, request: Any) -> Any:
        response = await _send_async(functools.partial(original, client), request)
        response.request = request
        return response

    name = "_send_single_request"
    return unwrap(wrap(module.Client, name, send), wrap(module.AsyncClient, name, send_async))

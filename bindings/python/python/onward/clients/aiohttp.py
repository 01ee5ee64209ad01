"""`aiohttp`'s client: every request of a session, each hop of a redirect on its own."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp.http import SERVER_SOFTWARE
from multidict import CIMultiDict

from onward._scope import inbound, is_lost

from ._outbound import Decided, decide, lost, wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_LIBRARY = {"user-agent": SERVER_SOFTWARE}


class _Headers(Decided, CIMultiDict[str]):
    """Headers that are not decided about again where a session's class of requests and `instrument()` meet."""


async def _send(original: Callable[..., Any], request: Any, connection: Any) -> Any:
    """Send a request with the headers, and leave it without: after a retry they are chosen anew.

    This comes after the session's cookies and middlewares, and once for each hop. Asking a proxy for a tunnel is a
    request too, which goes to nobody who is to have them.
    """
    callers = request.headers
    if is_lost() and request.method != "CONNECT":
        with lost(str(request.url)):
            return await original(request, connection)
    if not inbound() or isinstance(callers, Decided) or request.method == "CONNECT":
        return await original(request, connection)
    # The timer belongs to all hops of a request.
    hops = getattr(request, "_timer", request)
    add = decide(str(request.url), callers.items(), _LIBRARY, hops, repeats=True).added
    request.headers = headers = _Headers(callers)
    for name in {name for name, _ in add}:
        headers.popall(name, None)
    raw: dict[bytes, bytes] = {}
    for name, value in add:
        headers.add(name, _text(value.encode("latin-1"), raw))
    try:
        return await original(request, _Connection(connection, raw) if raw else connection)
    finally:
        request.headers = callers


def _text(value: bytes, raw: dict[bytes, bytes]) -> str:
    """Give the text that aiohttp, which writes UTF-8, makes these bytes of: a token where there is none."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        token = secrets.token_hex(16)
        raw[token.encode()] = value
        return token


class _Proxy:
    """Stands for another object."""

    def __init__(self, inner: Any, raw: dict[bytes, bytes]) -> None:
        self._inner = inner
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Connection(_Proxy):
    """A connection on which values that are not UTF-8 can be sent: the first write has the request's head in it."""

    @property
    def protocol(self) -> _Proxy:
        return _Protocol(self._inner.protocol, self._raw)


class _Protocol(_Proxy):
    @property
    def transport(self) -> _Proxy | None:
        transport = self._inner.transport
        return _Transport(transport, self._raw) if self._raw and transport is not None else transport


class _Transport(_Proxy):
    def write(self, data: Any) -> None:
        data = bytes(data)
        for token, value in self._raw.items():
            data = data.replace(token, value, 1)
        self._raw.clear()
        self._inner.write(data)

    def writelines(self, pieces: Iterable[Any]) -> None:
        self.write(b"".join(pieces))


class ClientRequest(aiohttp.ClientRequest):
    """A request that adds the headers, for a session that is not to be patched.

    ``aiohttp.ClientSession(request_class=ClientRequest)``
    """

    async def send(self, conn: Any) -> aiohttp.ClientResponse:
        return await _send(aiohttp.ClientRequest.send, self, conn)  # type: ignore[no-any-return]


def patch(module: Any) -> Callable[[], None]:
    """Wrap `ClientRequest.send`, through which every hop of every request goes."""
    return wrap(module.ClientRequest, "send", _send)

"""`requests`: every request that a session sends, each hop of a redirect on its own."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import requests.adapters
import requests.structures
import requests.utils

from onward._scope import inbound

from ._outbound import Decided, additions, wrap

if TYPE_CHECKING:
    from collections.abc import Callable

_LIBRARY = {name.lower(): value for name, value in requests.utils.default_headers().items()}


class Added(str):
    """A value that Onward put on a request.

    The mark is on the value, because that is what survives when requests copies a request to follow a redirect, and
    when a caller copies headers from one request to the next. `replaced` is the library's own value that it took the
    place of.
    """

    __slots__ = ("replaced",)
    replaced: str | None


class _Headers(Decided, requests.structures.CaseInsensitiveDict[str]):
    """Headers for urllib3, which copies them."""

    def copy(self) -> _Headers:
        return _Headers(self.items())


class Adapter(requests.adapters.HTTPAdapter):
    """An adapter that adds the headers, for a session that is not to be patched.

    It takes the arguments of `requests.adapters.HTTPAdapter`::

        session = requests.Session()
        session.mount("http://", Adapter())
        session.mount("https://", Adapter())
    """

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        return super().send(_prepare(request), *args, **kwargs)


def patch(module: Any) -> Callable[[], None]:
    """Wrap `Session.send`, through which every request goes."""

    def send(original: Callable[..., Any], session: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        return original(session, _prepare(request), *args, **kwargs)

    return wrap(module.Session, "send", send)


def _prepare(request: Any) -> Any:
    """Give the request as it is to be sent.

    The caller's own object stays as it is: it may be sent again, for another inbound request, from another thread.
    """
    headers = getattr(request, "headers", None)
    if headers is None or request.url is None:
        return request
    own = dict(headers.lower_items())
    ours = [(name, value) for name, value in own.items() if isinstance(value, Added)]
    if not ours and not inbound():
        return request
    headers = _Headers(headers.items())
    for name, value in ours:
        del headers[name], own[name]
        if value.replaced is not None:
            headers[name] = own[name] = value.replaced
    # The copies that requests makes to follow redirects have the hooks in common.
    for name, text in additions(request.url, own.items(), _LIBRARY, request.hooks):
        headers[name] = value = Added(text)
        value.replaced = own.get(name)
    sent = copy.copy(request)
    sent.headers = headers
    return sent

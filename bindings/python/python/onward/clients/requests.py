"""`requests`: every request that a session sends, each hop of a redirect on its own."""

from __future__ import annotations

import copy
import functools
from typing import TYPE_CHECKING, Any

import requests.adapters
import requests.structures
import requests.utils

from onward._scope import inbound, is_lost

from ._outbound import Added, Decided, decide, look_again, lost, mark, unwrap, wrap

if TYPE_CHECKING:
    from collections.abc import Callable

_LIBRARY = {name.lower(): value for name, value in requests.utils.default_headers().items()}


class _Headers(Decided, requests.structures.CaseInsensitiveDict[str]):
    """Headers for urllib3, which copies them."""

    extend = requests.structures.CaseInsensitiveDict.update

    def copy(self) -> _Headers:
        copied = _Headers(self.items())
        copied.decision = self.decision
        return copied


class Adapter(requests.adapters.HTTPAdapter):
    """An adapter that adds the headers, for a session that is not to be patched.

    It takes the arguments of `requests.adapters.HTTPAdapter`::

        session = requests.Session()
        session.mount("http://", Adapter())
        session.mount("https://", Adapter())
    """

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        return _send_on(super().send, _prepare(request), *args, **kwargs)  # type: ignore[no-any-return]


def patch(module: Any) -> Callable[[], None]:
    """Wrap `Session.send`, through which every request goes, and what sends it further down."""

    def send(original: Callable[..., Any], session: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        return original(session, _prepare(request), *args, **kwargs)

    def send_on(original: Callable[..., Any], adapter: Any, *args: Any, **kwargs: Any) -> Any:
        return _send_on(functools.partial(original, adapter), *args, **kwargs)

    return unwrap(wrap(module.Session, "send", send), wrap(module.adapters.HTTPAdapter, "send", send_on))


def _send_on(original: Callable[..., Any], request: Any, *args: Any, **kwargs: Any) -> Any:
    """Send one hop, which a tracer may have put its own span on since it was decided about."""
    if is_lost():
        with lost(str(request.url)):
            return original(request, *args, **kwargs)
    look_again(request.headers)
    return original(request, *args, **kwargs)


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
    headers.decision = decide(request.url, own.items(), _LIBRARY, request.hooks)
    for name, text in headers.decision.added:
        headers[name] = mark(text, own.get(name))
    sent = copy.copy(request)
    sent.headers = headers
    return sent

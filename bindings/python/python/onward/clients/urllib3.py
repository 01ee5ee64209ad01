"""`urllib3`: every request of its pools, each hop of a redirect on its own. botocore's are left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import urllib3
from urllib3._collections import HTTPHeaderDict  # where 1.26 has it too

from onward._scope import is_lost

from ._outbound import Decided, decide, look_again, lost, mark, unwrap, wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class _Headers(Decided, HTTPHeaderDict):
    """Headers that are not decided about again when a pool tries again."""

    def copy(self) -> _Headers:
        copied = _Headers(self)
        copied.decision = self.decision
        return copied


def _send(  # noqa: PLR0913, PLR0917 - urllib3's own signature
    original: Callable[..., Any],
    pool: Any,
    method: str,
    url: str,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    retries: Any = None,
    *args: Any,
    **kwargs: Any,
) -> Any:
    callers: Any = pool.headers if headers is None else headers
    if not isinstance(callers, Decided) and not _is_botocore(pool):
        if is_lost():
            with lost(_destination(pool, url)):
                return original(pool, method, url, body, headers, retries, *args, **kwargs)
        # A manager follows redirects with a new call, whose `retries` tell of the ones before.
        hops = None if getattr(retries, "history", ()) else object()
        decision = decide(_destination(pool, url), callers.items(), {}, hops, repeats=True)
        if decision.added:
            headers = _Headers(callers)
            headers.decision = decision
            for name, value in decision.added:
                headers.add(name, mark(value))
    return original(pool, method, url, body, headers, retries, *args, **kwargs)


def _send_on(original: Callable[..., Any], pool: Any, *args: Any, **kwargs: Any) -> Any:
    """Send what `_send` or requests has decided about, and what a tracer has put its own span on since."""
    look_again(kwargs.get("headers"))
    return original(pool, *args, **kwargs)


def _destination(pool: Any, url: str) -> str:
    """Give the whole URL; through a proxy it is that already."""
    if not url.startswith("/"):
        return url
    host = f"[{pool.host}]" if ":" in pool.host else pool.host
    return f"{pool.scheme}://{host}:{pool.port}{url}" if pool.port else f"{pool.scheme}://{host}{url}"


def _is_botocore(pool: Any) -> bool:
    """Whether it sends to AWS, or what stands for it: mostly signed, and with trace headers of botocore's own."""
    return any(base.__module__.startswith("botocore.") for base in type(pool).__mro__)


class HTTPConnectionPool(urllib3.HTTPConnectionPool):
    """A pool that adds the headers."""

    def urlopen(self, *args: Any, **kwargs: Any) -> Any:
        return _send(urllib3.HTTPConnectionPool.urlopen, self, *args, **kwargs)

    def _make_request(self, *args: Any, **kwargs: Any) -> Any:
        return _send_on(urllib3.HTTPConnectionPool._make_request, self, *args, **kwargs)  # noqa: SLF001 - of the base


class HTTPSConnectionPool(urllib3.HTTPSConnectionPool):
    """A pool that adds the headers."""

    def urlopen(self, *args: Any, **kwargs: Any) -> Any:
        return _send(urllib3.HTTPSConnectionPool.urlopen, self, *args, **kwargs)

    def _make_request(self, *args: Any, **kwargs: Any) -> Any:
        return _send_on(urllib3.HTTPSConnectionPool._make_request, self, *args, **kwargs)  # noqa: SLF001 - of the base


_POOLS: dict[str, type[urllib3.HTTPConnectionPool]] = {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}


class PoolManager(urllib3.PoolManager):
    """A manager whose pools add the headers, for a program that is not to be patched: ``http = PoolManager()``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pool_classes_by_scheme: dict[str, type[urllib3.HTTPConnectionPool]] = _POOLS


class ProxyManager(urllib3.ProxyManager):
    """The same through a proxy. What counts is where a request goes, not the proxy."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pool_classes_by_scheme: dict[str, type[urllib3.HTTPConnectionPool]] = _POOLS


def patch(module: Any) -> Callable[[], None]:
    """Wrap `HTTPConnectionPool.urlopen`, through which every request goes, and what sends it further down."""
    pool = module.HTTPConnectionPool
    return unwrap(wrap(pool, "urlopen", _send), wrap(pool, "_make_request", _send_on))

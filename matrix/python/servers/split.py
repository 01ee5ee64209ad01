"""One application made of two: what begins with `/middleware` goes to the covered one, everything else to the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    WSGI = Callable[[dict[str, Any], Any], Iterable[bytes]]
    ASGI = Callable[[Any, Any, Any], Awaitable[None]]


def wsgi(covered: WSGI, bare: WSGI) -> WSGI:
    """Split WSGI applications."""

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return (covered if environ["PATH_INFO"].startswith("/middleware") else bare)(environ, start_response)

    return app


def asgi(covered: ASGI, bare: ASGI) -> ASGI:
    """Split ASGI applications."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await (covered if scope["path"].startswith("/middleware") else bare)(scope, receive, send)

    return app

"""Pyramid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import onward
from pyramid.config import Configurator
from pyramid.response import Response

from . import split, wsgi
from .server import Answer, Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager


def application(answer: Answer) -> wsgi.App:
    """Make the application."""
    return split.wsgi(onward.WSGIMiddleware(_routes(answer)), _routes(answer))


def _routes(answer: Answer) -> Any:
    @onward.propagate
    def attribute(request: Any) -> Response:
        return Response(answer.call(request.query_string))

    class View:
        def __init__(self, request: Any) -> None:
            self.request = request

        @onward.propagate
        def get(self) -> Response:
            return Response(answer.call(self.request.query_string))

    def plain(request: Any) -> Response:
        return Response(answer.call(request.query_string))

    def streamed(request: Any) -> Response:
        def pieces() -> Iterator[bytes]:
            yield answer.call(request.query_string).encode()

        return Response(app_iter=pieces())

    def failed(_: Any) -> Response:
        raise LookupError

    def handled(_: LookupError, request: Any) -> Response:
        return Response(answer.call(request.query_string))

    def explicit(request: Any) -> Response:
        return Response(json_body=onward.get_forward_headers(request))

    with Configurator() as config:
        for path, view, attribute_name in (
            ("/attribute", attribute, None),
            ("/attribute/class", View, "get"),
            ("/bare", plain, None),
            ("/middleware", plain, None),
            ("/middleware/streamed", streamed, None),
            ("/middleware/failed", failed, None),
            ("/explicit", explicit, None),
        ):
            config.add_route(path, path)
            config.add_view(view, route_name=path, attr=attribute_name)
        config.add_exception_view(handled, context=LookupError)
        return config.make_wsgi_app()


def start(answer: Answer) -> AbstractContextManager[int]:
    """Start it."""
    return wsgi.serving(application(answer))


SERVERS = (Server("Pyramid", start),)

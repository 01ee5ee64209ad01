"""Django, both under WSGI and under ASGI."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import django
import django.conf
import onward
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.test.utils import override_settings
from django.urls import path
from django.views import View

from . import asgi, split, wsgi
from .server import Answer, Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

django.conf.settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    # The REST framework's own would take a database.
    REST_FRAMEWORK={"UNAUTHENTICATED_USER": None},
)
django.setup()

MIDDLEWARE = ["onward.servers.django.OnwardMiddleware"]


def _query(request: Any) -> str:
    query: str = request.META["QUERY_STRING"]
    return query


def _rest(answer: Answer) -> Any:
    """Make a view of the Django REST framework, whose request is an object of its own."""
    from rest_framework.views import APIView  # noqa: PLC0415 - it reads the settings

    class Rest(APIView):
        @onward.propagate
        def get(self, request: Any) -> HttpResponse:
            return HttpResponse(answer.call(_query(request)))

    return Rest.as_view()


def explicit(request: Any) -> JsonResponse:
    """Give the headers by hand."""
    return JsonResponse(onward.get_forward_headers(request))


def failed(_: Any) -> HttpResponse:
    """Fail, for `handler500` to answer."""
    raise LookupError


class Sync:
    """Views that are plain functions."""

    def __init__(self, answer: Answer) -> None:
        @onward.propagate
        def attribute(request: Any) -> HttpResponse:
            return HttpResponse(answer.call(_query(request)))

        class ClassBased(View):
            @onward.propagate
            def get(self, request: Any) -> HttpResponse:
                return HttpResponse(answer.call(_query(request)))

        def plain(request: Any) -> HttpResponse:
            return HttpResponse(answer.call(_query(request)))

        def streamed(request: Any) -> StreamingHttpResponse:
            def pieces() -> Iterator[str]:
                yield answer.call(_query(request))

            return StreamingHttpResponse(pieces())

        self.handler500 = plain
        self.urlpatterns = _patterns(attribute, ClassBased.as_view(), _rest(answer), plain, streamed)


class Async:
    """Views that are coroutines."""

    def __init__(self, answer: Answer) -> None:
        @onward.propagate
        async def attribute(request: Any) -> HttpResponse:
            return HttpResponse(await answer.acall(_query(request)))

        class ClassBased(View):
            @onward.propagate
            async def get(self, request: Any) -> HttpResponse:
                return HttpResponse(await answer.acall(_query(request)))

        async def plain(request: Any) -> HttpResponse:
            return HttpResponse(await answer.acall(_query(request)))

        async def streamed(request: Any) -> StreamingHttpResponse:
            async def pieces() -> AsyncIterator[str]:
                yield await answer.acall(_query(request))

            return StreamingHttpResponse(pieces())

        # Django calls it as it is, even where everything else is a coroutine.
        self.handler500 = lambda request: HttpResponse(answer.call(_query(request)))
        self.urlpatterns = _patterns(attribute, ClassBased.as_view(), _rest(answer), plain, streamed)


def _patterns(attribute: Any, class_based: Any, rest: Any, plain: Any, streamed: Any) -> list[Any]:
    return [
        path("attribute", attribute),
        path("attribute/class", class_based),
        path("attribute/rest", rest),
        path("bare", plain),
        path("middleware", plain),
        path("middleware/streamed", streamed),
        path("middleware/failed", failed),
        path("explicit", explicit),
    ]


@contextlib.contextmanager
def start(answer: Answer, views: type[Sync | Async] = Sync) -> Iterator[int]:
    """Start it under WSGI."""
    with override_settings(ROOT_URLCONF=views(answer)):
        with override_settings(MIDDLEWARE=MIDDLEWARE):
            covered = WSGIHandler()
        with wsgi.serving(split.wsgi(covered, WSGIHandler())) as port:
            yield port


@contextlib.contextmanager
def start_asgi(answer: Answer, views: type[Sync | Async] = Async) -> Iterator[int]:
    """Start it under ASGI."""
    with override_settings(ROOT_URLCONF=views(answer)):
        with override_settings(MIDDLEWARE=MIDDLEWARE):
            covered = ASGIHandler()
        with asgi.serving(split.asgi(covered, ASGIHandler())) as port:
            yield port


SERVERS = (Server("Django, WSGI", start), Server("Django, ASGI", start_asgi))

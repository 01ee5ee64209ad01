"""Real requests to real servers of every framework: what arrives is what is forwarded, byte for byte."""

from __future__ import annotations

import asyncio
import json
import threading

import aiohttp.web
import django
import fastapi
import flask
import onward
import pytest
import starlette.applications
import starlette.responses
import starlette.routing
import tornado.httpserver
import tornado.testing
import tornado.web
from django.conf import settings
from headers import BOOKINFO
from loopback import get, serve_asgi, serve_wsgi

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="-", DEBUG=False)
django.setup()

from django.core.handlers.asgi import ASGIHandler  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402


def django_view(request):
    return JsonResponse(onward.get_forward_headers(request))


urlpatterns = [path("forwarded", django_view)]


def flask_app():
    app = flask.Flask(__name__)
    app.json.sort_keys = False

    @app.get("/forwarded")
    def forwarded():
        through_proxy = onward.get_forward_headers(flask.request)
        assert through_proxy == onward.get_forward_headers(flask.request.environ)
        assert through_proxy == onward.get_forward_headers(flask.request._get_current_object())
        assert through_proxy == onward.get_forward_headers(flask.request.headers)
        return flask.jsonify(through_proxy)

    return app


def starlette_app():
    async def forwarded(request):
        by_request = onward.get_forward_headers(request)
        assert by_request == onward.get_forward_headers(request.scope) == onward.get_forward_headers(request.headers)
        return starlette.responses.JSONResponse(by_request)

    return starlette.applications.Starlette(routes=[starlette.routing.Route("/forwarded", forwarded)])


def fastapi_app():
    app = fastapi.FastAPI()

    @app.get("/forwarded")
    def forwarded(request: fastapi.Request) -> dict[str, str]:
        return onward.get_forward_headers(request)

    # The module's annotations are text, and `fastapi.Request` is found in its globals.
    return app


def serve_aiohttp(handle):
    """An aiohttp server in a thread of its own."""
    started = threading.Event()
    state = {}

    def run():
        async def main():
            app = aiohttp.web.Application()
            app.router.add_get("/forwarded", handle)
            runner = aiohttp.web.AppRunner(app)
            await runner.setup()
            site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            state["port"] = site._server.sockets[0].getsockname()[1]
            state["stop"], state["loop"] = asyncio.Event(), asyncio.get_running_loop()
            started.set()
            await state["stop"].wait()
            await runner.cleanup()

        asyncio.run(main())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert started.wait(20)

    def stop():
        state["loop"].call_soon_threadsafe(state["stop"].set)
        thread.join()

    return state["port"], stop


# Every value a byte of each kind; `\xe9` is one byte, and no UTF-8.
LINES = [*BOOKINFO[:-1], ("jwt", "caf\xe9"), ("accept", "*/*"), ("x-forwarded-for", "1.2.3.4")]
EXPECTED = dict(BOOKINFO[:-1]) | {"jwt": "caf\xe9"}


def check(port: int) -> None:
    status, body = get(port, "/forwarded", [(name.title(), value) for name, value in LINES])
    assert status == 200, body
    assert list(json.loads(body).items()) == list(EXPECTED.items())


@pytest.mark.parametrize("app", [flask_app(), WSGIHandler()], ids=["Flask", "Django under WSGI"])
def test_wsgi_frameworks_forward_what_came_in(app) -> None:
    with serve_wsgi(app) as port:
        status, body = get(port, "/forwarded", [(name.title(), value) for name, value in LINES])
        assert status == 200, body
        assert list(json.loads(body).items()) == list(EXPECTED.items())


@pytest.mark.parametrize(
    "app", [starlette_app(), fastapi_app(), ASGIHandler()], ids=["Starlette", "FastAPI", "Django under ASGI"]
)
def test_asgi_frameworks_forward_what_came_in(app) -> None:
    with serve_asgi(app) as port:
        status, body = get(port, "/forwarded", [(name.title(), value) for name, value in LINES])
        assert status == 200, body
        assert list(json.loads(body).items()) == list(EXPECTED.items())


def test_aiohttp_forwards_what_came_in() -> None:
    async def handle(request):
        forwarded = onward.get_forward_headers(request)
        assert forwarded == onward.get_forward_headers(request.headers)
        return aiohttp.web.json_response(forwarded)

    port, stop = serve_aiohttp(handle)
    try:
        status, body = get(port, "/forwarded", [(name.title(), value) for name, value in LINES])
        assert status == 200, body
        assert list(json.loads(body).items()) == list(EXPECTED.items())
    finally:
        stop()


def test_aiohttp_text_keeps_its_bytes() -> None:
    """aiohttp decodes headers as UTF-8: `\xc3\xa9` and the lone byte `\xe9` must both come out as they came in."""

    async def handle(request):
        assert onward.get_forward_headers(request) == onward.get_forward_headers(request.headers)
        return aiohttp.web.json_response(onward.get_forward_headers(request))

    port, stop = serve_aiohttp(handle)
    try:
        _, body = get(port, "/forwarded", [("jwt", "\xc3\xa9"), ("end-user", "\xe9")])
        assert json.loads(body) == {"jwt": "\xc3\xa9", "end-user": "\xe9"}
    finally:
        stop()


def test_tornado_forwards_what_came_in() -> None:
    class Handler(tornado.web.RequestHandler):
        def get(self):
            self.write(onward.get_forward_headers(self.request))

    started = threading.Event()
    state = {}

    def run():
        async def main():
            listener, port = tornado.testing.bind_unused_port()
            server = tornado.httpserver.HTTPServer(tornado.web.Application([("/forwarded", Handler)]))
            server.add_sockets([listener])
            state.update(port=port, stop=asyncio.Event(), loop=asyncio.get_running_loop())
            started.set()
            await state["stop"].wait()
            server.stop()

        asyncio.run(main())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert started.wait(20)
    try:
        status, body = get(state["port"], "/forwarded", BOOKINFO)
        assert status == 200
        assert json.loads(body) == dict(BOOKINFO)
    finally:
        state["loop"].call_soon_threadsafe(state["stop"].set)
        thread.join()


def test_repeated_lines_reach_an_asgi_application_one_by_one() -> None:
    captured = []

    async def app(scope, receive, send):
        captured.append(onward.default().extract(scope).lines())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with serve_asgi(app) as port:
        get(port, "/", [("tracestate", "a=1"), ("tracestate", "b=2"), ("cookie", "c=3"), ("cookie", "d=4")])
    assert captured == [[("tracestate", "a=1"), ("tracestate", "b=2"), ("cookie", "c=3"), ("cookie", "d=4")]]


def test_the_values_are_the_very_objects_that_came_in() -> None:
    environ = {"REQUEST_METHOD": "GET", "HTTP_X_REQUEST_ID": "a{}".format("b"), "HTTP_ACCEPT": "*/*"}
    assert onward.get_forward_headers(environ)["x-request-id"] is environ["HTTP_X_REQUEST_ID"]
    carrier = {"X-Request-Id": "a{}".format("b")}
    assert onward.get_forward_headers(carrier)["x-request-id"] is carrier["X-Request-Id"]


def test_each_call_gives_a_dict_of_its_own() -> None:
    carrier = {"x-request-id": "1", "traceparent": "2"}
    first = onward.get_forward_headers(carrier)
    first["x-request-id"] = "changed"
    del first["traceparent"]
    assert onward.get_forward_headers(carrier) == carrier


def test_a_flask_proxy_outside_a_request_is_a_clear_error() -> None:
    with pytest.raises(onward.CarrierError, match="Working outside of request context") as caught:
        onward.get_forward_headers(flask.request)
    assert caught.value.code == "unsupported_carrier"

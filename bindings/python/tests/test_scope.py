"""The scope: `propagate`, `carry`, `scope`, and both middlewares."""

from __future__ import annotations

import asyncio
import collections.abc
import concurrent.futures
import contextvars
import functools
import inspect
import json
import pickle
import threading

import flask
import onward
import pytest
import requests
import starlette.applications
import starlette.middleware
import starlette.responses
import starlette.routing
import werkzeug.local
from loopback import get, serve_asgi
from starlette.requests import Request

ENVIRON = {"REQUEST_METHOD": "GET", "HTTP_X_REQUEST_ID": "7", "HTTP_COOKIE": "a=b"}
SCOPE = {"type": "http", "headers": [(b"x-request-id", b"7"), (b"cookie", b"a=b")]}
CAPTURED = {"x-request-id": "7", "cookie": "a=b"}


def request() -> Request:
    return Request(SCOPE | {"method": "GET", "path": "/"})


def test_outside_a_request_there_is_nothing_and_nothing_is_raised() -> None:
    assert dict(onward.current()) == {}
    assert not onward.current()
    assert onward.current().lines() == []
    outbound = {"accept": "*/*"}
    onward.current().inject(outbound, "http://ratings:9080/")
    assert outbound == {"accept": "*/*"}
    assert onward.explain().rows == []
    assert onward.carry(lambda: dict(onward.current()))() == {}


def test_a_plain_handler_has_its_headers_in_scope() -> None:
    @onward.propagate
    def handler(request):
        return dict(onward.current())

    assert handler(request()) == CAPTURED
    assert dict(onward.current()) == {}


async def test_an_asynchronous_handler_has_its_headers_in_scope() -> None:
    @onward.propagate
    async def handler(request):
        await asyncio.sleep(0)
        return dict(onward.current())

    assert inspect.iscoroutinefunction(handler)
    assert await handler(request()) == CAPTURED
    assert dict(onward.current()) == {}


def test_a_generator_has_its_headers_in_scope_only_while_it_runs() -> None:
    closed = []

    @onward.propagate
    def handler(request):
        try:
            received = yield dict(onward.current())
            yield received, dict(onward.current())
        finally:
            closed.append(dict(onward.current()))

    pieces = handler(request())
    assert next(pieces) == CAPTURED
    assert dict(onward.current()) == {}
    assert pieces.send("sent") == ("sent", CAPTURED)
    assert dict(onward.current()) == {}
    pieces.close()
    assert closed == [CAPTURED]


def test_what_is_thrown_into_a_generator_arrives_in_it() -> None:
    @onward.propagate
    def handler(request):
        try:
            yield 1
        except KeyError:
            yield dict(onward.current())
        return "returned"

    pieces = handler(request())
    next(pieces)
    assert pieces.throw(KeyError()) == CAPTURED
    with pytest.raises(StopIteration) as stop:
        next(pieces)
    assert stop.value.value == "returned"


async def test_an_asynchronous_generator_has_its_headers_in_scope_only_while_it_runs() -> None:
    @onward.propagate
    async def handler(request):
        received = yield dict(onward.current())
        await asyncio.sleep(0)
        try:
            yield received, dict(onward.current())
        except KeyError:
            yield "caught", dict(onward.current())

    pieces = handler(request())
    assert await anext(pieces) == CAPTURED
    assert dict(onward.current()) == {}
    assert await pieces.asend("sent") == ("sent", CAPTURED)
    assert await pieces.athrow(KeyError()) == ("caught", CAPTURED)
    assert dict(onward.current()) == {}
    await pieces.aclose()


@pytest.mark.parametrize("kind", ["method", "classmethod", "staticmethod", "view with self.request", "keyword"])
def test_the_request_is_found_wherever_it_is(kind: str) -> None:
    class View:
        request = request()

        @onward.propagate
        def method(self, request):
            return dict(onward.current())

        @onward.propagate
        @classmethod
        def classmethod(cls, request):
            return dict(onward.current())

        @onward.propagate
        @staticmethod
        def staticmethod(request):
            return dict(onward.current())

        @onward.propagate
        def get(self):
            return dict(onward.current())

    if kind == "view with self.request":
        assert View().get() == CAPTURED
    elif kind == "keyword":
        assert View().method(request=ENVIRON) == CAPTURED
    else:
        assert getattr(View(), kind)(SCOPE) == CAPTURED


def test_an_argument_that_only_holds_pairs_is_not_taken_for_the_request() -> None:
    @onward.propagate
    def handler(body, query, request):
        return dict(onward.current())

    body = {"x-request-id": "from the body", "headers": {"x-request-id": "from the body"}}
    assert handler(body, [("x-request-id", "from the query")], ENVIRON) == CAPTURED


def test_a_handler_without_its_request_says_what_to_use_instead() -> None:
    @onward.propagate
    def handler(product):
        return product

    with pytest.raises(onward.OnwardError, match=r"`.*handler` was called without a request.*ASGIMiddleware") as caught:
        handler({"x-request-id": "7"})
    assert caught.value.code == "invalid_argument"
    with onward.scope(ENVIRON):
        assert handler(3) == 3, "a middleware has captured the headers already"


def test_flasks_current_request_is_found() -> None:
    app = flask.Flask(__name__)

    @app.get("/plain")
    @onward.propagate
    def plain():
        return dict(onward.current())

    @app.get("/without-cookie")
    @onward.propagate(remove="cookie", add=["x-tenant-id"])
    def without_cookie():
        return dict(onward.current())

    client = app.test_client(use_cookies=False)
    headers = {"X-Request-Id": "7", "Cookie": "a=b", "X-Tenant-Id": "blue", "User-Agent": ""}
    assert client.get("/plain", headers=headers).json == CAPTURED
    assert client.get("/without-cookie", headers=headers).json == {"x-request-id": "7", "x-tenant-id": "blue"}


def test_a_mistake_in_the_options_raises_where_it_is_written() -> None:
    with pytest.raises(onward.PolicyError) as caught:
        onward.propagate(add="content-length")
    assert (caught.value.code, caught.value.token) == ("refused_header", "content-length")
    with pytest.raises(onward.ArgumentError, match="decorates functions"):

        @onward.propagate
        class View:
            pass


def test_the_decorator_keeps_what_frameworks_look_at() -> None:
    @onward.propagate
    def handler(request, product: int = 3) -> str:
        """Handle."""

    assert handler.__name__ == "handler"
    assert handler.__doc__ == "Handle."
    assert str(inspect.signature(handler)) == "(request, product: int = 3) -> str"

    @onward.propagate
    def unknown(request: Nowhere): ...  # noqa: F821

    assert str(inspect.signature(unknown)) == "(request: 'Nowhere')"
    assert onward.propagate(max).__name__ == "max"


def test_the_scope_ends_with_an_error_too() -> None:
    @onward.propagate
    def handler(request):
        raise LookupError

    with pytest.raises(LookupError):
        handler(request())
    assert dict(onward.current()) == {}
    with pytest.raises(LookupError), onward.scope(ENVIRON):
        raise LookupError
    assert dict(onward.current()) == {}


def test_scopes_nest() -> None:
    outer = onward.scope(ENVIRON)
    with outer as captured:
        assert captured == CAPTURED
        with onward.scope([("x-request-id", "inner")]):
            assert dict(onward.current()) == {"x-request-id": "inner"}
            with outer:
                assert dict(onward.current()) == CAPTURED
        assert dict(onward.current()) == CAPTURED


def test_a_thread_starts_without_the_headers_and_carry_takes_them_along() -> None:
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        with onward.scope(ENVIRON):
            assert pool.submit(lambda: dict(onward.current())).result() == {}
            carried = onward.carry(lambda extra: (extra, dict(onward.current())))
            generator = onward.carry(lambda: (dict(onward.current()) for _ in [0]))
        assert pool.submit(carried, 1).result() == (1, CAPTURED)
        assert pool.submit(lambda: dict(onward.current())).result() == {}, "the pool's thread keeps nothing"
    assert list(generator()) == [{}], "a generator that a function hands out runs where it is used"


def test_a_handler_removes_a_header_that_the_environment_has_removed_already() -> None:
    policy = onward.Propagator.from_env({"ONWARD_HEADERS": "-cookie"})

    @onward.propagate(propagator=policy, remove=["cookie", "end-user"])
    def handler(request: object) -> dict[str, str]:
        return dict(onward.current())

    assert handler(ENVIRON | {"HTTP_END_USER": "jason"}) == {"x-request-id": "7"}


def test_carry_refuses_what_cannot_be_called_where_it_is_given_and_not_in_the_thread() -> None:
    with pytest.raises(onward.ArgumentError, match="not `int`: give it what is to be called") as error:
        onward.carry(len("a call, and no function"))
    assert error.value.code == "invalid_argument"
    assert error.value.token == "int"


async def test_carry_takes_functions_coroutines_and_partials_along() -> None:
    async def work(number=1):
        await asyncio.sleep(0)
        return number, dict(onward.current())

    with onward.scope(ENVIRON):
        carried = onward.carry(work)
        coroutine = onward.carry(work(2))
        partial = onward.carry(functools.partial(work, 3))
    empty = contextvars.Context()
    assert await asyncio.create_task(carried()) == (1, CAPTURED)
    assert await empty.run(asyncio.ensure_future, coroutine) == (2, CAPTURED)
    assert await partial() == (3, CAPTURED)
    assert dict(onward.current()) == {}


def test_the_wsgi_middleware_covers_the_body_and_nothing_after_it() -> None:
    closed = []

    class Body:
        def __iter__(self):
            yield repr(dict(onward.current())).encode()

        def close(self):
            closed.append(dict(onward.current()))

    def app(environ, start_response):
        assert dict(onward.current()) == CAPTURED
        return Body()

    body = onward.WSGIMiddleware(app)(ENVIRON, None)
    assert dict(onward.current()) == {}
    assert list(body) == [repr(CAPTURED).encode()]
    assert dict(onward.current()) == {}
    body.close()
    assert closed == [CAPTURED]


def test_the_wsgi_middleware_leaves_finished_bodies_and_file_wrappers_to_the_server() -> None:
    class Wrapper:
        def __iter__(self):
            return iter([])

    wrapper, finished = Wrapper(), [b"done"]
    assert onward.WSGIMiddleware(lambda *_: finished)(ENVIRON, None) is finished
    environ = ENVIRON | {"wsgi.file_wrapper": Wrapper}
    assert onward.WSGIMiddleware(lambda *_: wrapper)(environ, None) is wrapper


def test_the_asgi_middleware_covers_a_fastapi_style_handler_without_a_request() -> None:
    async def handler(request):
        return starlette.responses.JSONResponse(await in_a_task())

    async def in_a_task():
        return await asyncio.create_task(work())

    @onward.propagate
    async def work():
        return dict(onward.current())

    app = starlette.applications.Starlette(
        routes=[starlette.routing.Route("/", handler)],
        middleware=[starlette.middleware.Middleware(onward.ASGIMiddleware)],
    )
    with serve_asgi(app) as port:
        assert json.loads(get(port, "/", [("X-Request-Id", "7"), ("Cookie", "a=b")])[1]) == CAPTURED
    assert dict(onward.current()) == {}


def test_a_middleware_takes_a_policy_of_its_own() -> None:
    seen = []
    policy = onward.Propagator(presets="w3c")
    onward.WSGIMiddleware(lambda *_: seen.append(dict(onward.current())) or [], policy)(ENVIRON, None)
    assert seen == [{"x-request-id": "7"}]


def test_forward_headers_are_a_mapping_and_immutable() -> None:
    headers = onward.default().extract([("Cookie", "a=1"), ("X-Request-Id", "7"), ("cookie", "b=2")])
    assert list(headers) == headers.keys() == ["x-request-id", "cookie"]
    assert dict(headers) == dict(headers.items()) == {"x-request-id": "7", "cookie": "a=1; b=2"}
    assert headers.values() == ["7", "a=1; b=2"]
    assert headers.lines() == [("x-request-id", "7"), ("cookie", "a=1"), ("cookie", "b=2")]
    assert (headers["X-Request-ID"], headers.get("accept"), headers.get("accept", 1)) == ("7", None, 1)
    assert "COOKIE" in headers
    assert 3 not in headers
    assert len(headers) == 2
    assert repr(headers) == "<ForwardHeaders x-request-id cookie>"
    with pytest.raises(KeyError):
        headers["accept"]
    with pytest.raises(TypeError):
        headers["accept"] = "x"
    with pytest.raises(AttributeError):
        headers.anything = 1
    assert headers == onward.default().extract({"x-request-id": "7", "cookie": ["a=1", "b=2"]})
    assert hash(headers) == hash(onward.default().extract({"x-request-id": "7", "cookie": ["a=1", "b=2"]}))


def test_what_takes_a_mapping_of_headers_takes_forward_headers() -> None:
    headers = onward.default().extract(ENVIRON)
    assert isinstance(headers, collections.abc.Mapping)
    assert requests.Request("GET", "http://ratings/", headers=headers).prepare().headers == CAPTURED
    assert requests.structures.CaseInsensitiveDict(headers)["X-Request-Id"] == "7"


def test_other_proxies_and_lazy_objects_are_not_taken_for_the_request() -> None:
    class Lazy:
        @property
        def environ(self):
            raise LookupError("no backend yet")

    @onward.propagate
    def handler(session, lazy, number, request):
        return dict(onward.current())

    session = werkzeug.local.LocalProxy(lambda: {"user": "jason"})
    unbound = flask.g
    assert handler(session, Lazy(), 3, ENVIRON) == handler(unbound, None, "x", SCOPE) == CAPTURED


def test_errors_survive_pickling() -> None:
    with pytest.raises(onward.PolicyError) as caught:
        onward.Propagator(presets="nothing")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again), again.code, again.token) == (
        onward.PolicyError,
        str(caught.value),
        "unknown_preset",
        "nothing",
    )


def test_the_scope_of_one_thread_is_not_anothers() -> None:
    inside, leave = threading.Event(), threading.Event()

    def hold():
        with onward.scope(ENVIRON):
            inside.set()
            leave.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    assert inside.wait(20)
    assert dict(onward.current()) == {}
    leave.set()
    thread.join()

"""What headers are read from: a request, what stands behind it, or a mapping."""

from __future__ import annotations

import flask
import multidict
import onward
import pytest
import starlette.requests
import tornado.httputil
from headers import BOOKINFO
from loopback import get, serve_asgi

LINES = [("tracestate", "a=1"), ("cookie", "c=3"), ("tracestate", "b=2"), ("cookie", "d=4")]
JOINED = {"tracestate": "a=1,b=2", "cookie": "c=3; d=4"}


def test_a_flask_request_its_environ_and_its_headers_give_the_same() -> None:
    app = flask.Flask(__name__)
    with app.test_request_context(headers=dict(BOOKINFO)):
        for carrier in (
            flask.request,
            flask.request._get_current_object(),
            flask.request.environ,
            flask.request.headers,
        ):
            assert onward.get_forward_headers(carrier) == dict(BOOKINFO)


def test_a_starlette_request_its_scope_and_its_headers_give_the_same() -> None:
    scope = {"type": "http", "headers": [(name.encode(), value.encode()) for name, value in LINES]}
    request = starlette.requests.Request(scope)
    for carrier in (request, scope, request.headers):
        assert onward.get_forward_headers(carrier) == JOINED


def test_aiohttps_text_stands_for_the_bytes_that_it_was_decoded_from() -> None:
    """`\xc3\xa9` and the lone byte `\xe9` must both come out as they came in."""
    headers = multidict.CIMultiDict([("jwt", "\u00e9"), ("end-user", "\udce9")])
    assert onward.get_forward_headers(headers) == {"jwt": "\xc3\xa9", "end-user": "\xe9"}

    class Own(multidict.CIMultiDict):
        """As Sanic has one."""

    assert onward.get_forward_headers(Own(headers)) == {"jwt": "\xc3\xa9", "end-user": "\xe9"}


def test_tornados_headers_give_each_line() -> None:
    headers = tornado.httputil.HTTPHeaders()
    for name, value in LINES:
        headers.add(name, value)
    assert onward.get_forward_headers(headers) == JOINED
    assert onward.default().extract(headers).lines() == [
        ("tracestate", "a=1"),
        ("tracestate", "b=2"),
        ("cookie", "c=3"),
        ("cookie", "d=4"),
    ]


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

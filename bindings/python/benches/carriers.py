"""Each kind of carrier with the ways to take headers out of it: Onward's, by hand, OpenTelemetry's."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import aiohttp.test_utils
import django.conf
import flask
import multidict
import onward
import tornado.httputil
from django.core.handlers.wsgi import WSGIRequest
from fixtures import RING, environ, plain, scope
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.propagators.b3 import B3MultiFormat
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.requests import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    Contenders = dict[str, Callable[[Any], Any]]

django.conf.settings.configure(ALLOWED_HOSTS=["*"])

NAMES = onward.Propagator().names
WANTED = frozenset(NAMES)
PREFIXED = onward.Propagator(add=["uberctx-*", "x-canary-*"])
PREFIXES = ("HTTP_UBERCTX_", "HTTP_X_CANARY_")
KEYS = [(name, "HTTP_" + name.upper().replace("-", "_")) for name in NAMES]


def by_headers(request: Any) -> dict[str, str]:
    """The loop that everybody writes."""
    headers = {}
    for name in NAMES:
        value = request.headers.get(name)
        if value is not None:
            headers[name] = value
    return headers


def by_get(carrier: dict[str, str]) -> dict[str, str]:
    headers = {}
    for name in NAMES:
        value = carrier.get(name)
        if value is not None:
            headers[name] = value
    return headers


def by_keys_and_prefixes(carrier: dict[str, Any]) -> dict[str, str]:
    """The best that pure Python can do with an environ and prefix rules."""
    get = carrier.get
    headers = {}
    for name, key in KEYS:
        value = get(key)
        if value:
            headers[name] = value
    for key, value in carrier.items():
        if key.startswith(PREFIXES) and value:
            headers[key[5:].lower().replace("_", "-")] = value
    return headers


PROPAGATOR = CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator(), B3MultiFormat()])


class EnvironGetter(Getter[dict[str, Any]]):
    """As the WSGI instrumentation has it."""

    def get(self, carrier: dict[str, Any], key: str) -> list[str] | None:
        value = carrier.get("HTTP_" + key.upper().replace("-", "_"))
        return None if value is None else [value]

    def keys(self, carrier: dict[str, Any]) -> list[str]:
        return [key[5:].lower().replace("_", "-") for key in carrier if key.startswith("HTTP_")]


class ScopeGetter(Getter[dict[str, Any]]):
    """As the ASGI instrumentation has it."""

    def get(self, carrier: dict[str, Any], key: str) -> list[str] | None:
        key = key.lower()
        found = [value.decode() for name, value in carrier.get("headers") or () if name.decode().lower() == key]
        return found or None

    def keys(self, carrier: dict[str, Any]) -> list[str]:
        return [name.decode().lower() for name, _ in carrier.get("headers") or ()]


def tracer(getter: Getter[Any] | None, of: Callable[[Any], Any] = lambda carrier: carrier) -> Callable[[Any], Any]:
    more = () if getter is None else (getter,)

    def run(carrier: Any) -> dict[str, str]:
        outbound: dict[str, str] = {}
        # The getter is the third argument, behind the context.
        context = PROPAGATOR.extract(of(carrier), None, *more)
        PROPAGATOR.inject(outbound, context)
        return outbound

    return run


class MultiGetter(Getter[Any]):
    """As the aiohttp server instrumentation has it."""

    def get(self, carrier: Any, key: str) -> list[str] | None:
        return carrier.headers.getall(key, None)

    def keys(self, carrier: Any) -> list[str]:
        return list(carrier.headers.keys())


def by_pairs(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """The loop for headers that come as pairs."""
    headers = {}
    for name, value in pairs:
        lower = name.lower()
        if lower in WANTED:
            headers[lower] = value
    return headers


def forward() -> Callable[[Any], Any]:
    """Make a propagator for one path alone: a service has one kind of server."""
    return onward.Propagator().get_forward_headers


def paths(lines: list[tuple[str, str]]) -> dict[str, tuple[list[Any], Contenders]]:
    """Give a ring of each kind of carrier, and who is to read it; inside of a request of Flask."""
    environs = [environ(lines) for _ in range(RING)]
    scopes = [scope(lines) for _ in range(RING)]
    by_environ, by_scope = tracer(EnvironGetter()), tracer(ScopeGetter())

    def against(hand_written: Callable[[Any], Any], opentelemetry: Callable[[Any], Any]) -> Contenders:
        return {
            "onward": forward(),
            "onward_beside": forward(),
            "hand_written": hand_written,
            "opentelemetry": opentelemetry,
        }

    return {
        "WSGI environ": (environs, against(lambda _: by_headers(flask.request), by_environ)),
        "WSGI environ, prefix rules": (
            environs,
            {"onward": PREFIXED.get_forward_headers, "pure_python": by_keys_and_prefixes},
        ),
        "flask.request": (
            [flask.request] * RING,
            against(by_headers, tracer(EnvironGetter(), lambda request: request.environ)),
        ),
        "Django request": (
            [WSGIRequest({**one, "wsgi.input": io.BytesIO()}) for one in environs],
            against(by_headers, tracer(EnvironGetter(), lambda request: request.META)),
        ),
        "ASGI scope": (scopes, against(lambda scope: by_headers(Request(scope)), by_scope)),
        "Starlette request": (
            [Request(one) for one in scopes],
            against(by_headers, tracer(ScopeGetter(), lambda request: request.scope)),
        ),
        "aiohttp request": (
            [aiohttp.test_utils.make_mocked_request("GET", "/", multidict.CIMultiDict(lines)) for _ in range(RING)],
            against(by_headers, tracer(MultiGetter())),
        ),
        "Tornado request": (
            [tornado_request(lines) for _ in range(RING)],
            against(by_headers, tracer(None, lambda request: request.headers)),
        ),
        "dict": ([plain(lines) for _ in range(RING)], against(by_get, tracer(None))),
        "list of pairs": ([list(plain(lines).items()) for _ in range(RING)], against(by_pairs, tracer(None, dict))),
    }


def tornado_request(lines: list[tuple[str, str]]) -> tornado.httputil.HTTPServerRequest:
    headers = tornado.httputil.HTTPHeaders()
    for name, value in lines:
        headers.add(name, value)
    return tornado.httputil.HTTPServerRequest("GET", "/productpage", headers=headers)

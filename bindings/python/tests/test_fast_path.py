"""The fast path and the core give the same, on every conformance vector and on random headers."""

from __future__ import annotations

import random
import weakref

import multidict
import pytest
from conftest import load_cases
from headers import BOOKINFO, CURL
from onward import Propagator

POLICIES = {
    "istio": Propagator(),
    "all presets": Propagator(
        presets=["istio", "zipkin", "jaeger", "datadog", "lightstep", "stackdriver", "skywalking", "xray", "session"]
    ),
    "prefixes": Propagator(presets="jaeger", add=["x-canary-*", "x-tenant-id", "x_under"], remove="x-canary-internal"),
    "small": Propagator(max_bytes=120, max_prefix_headers=2, add="x-canary-*"),
    "too many names for the fast path": Propagator(add=[f"x-name-{number}" for number in range(70)]),
}


class Name(str):
    """Text that nobody may ask anything."""

    __slots__ = ("__weakref__",)

    def __eq__(self, _: object) -> bool:
        raise AssertionError

    def __hash__(self) -> int:
        raise AssertionError


def environ_key(name: str) -> str:
    key = name.upper().replace("-", "_")
    return key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"


def carriers(lines: list[tuple[str, str]]):
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in lines]
    server = {"REQUEST_METHOD": "GET", "wsgi.input": object(), "SERVER_NAME": "x", "wsgi.version": (1, 0)}
    environ = server | {environ_key(name): value for name, value in lines}
    yield "environ", environ
    yield "pairs of an environ", list(environ.items())
    yield "scope", {"type": "http", "headers": encoded}
    yield "list of text", lines
    yield "tuple of bytes", tuple(encoded)
    yield "names of a class of their own", [(Name(name), value) for name, value in lines]
    yield "multidict", multidict.CIMultiDict(lines)
    yield "dict", dict(lines)
    yield "dict of bytes", dict(encoded)
    lists: dict[str, list[str]] = {}
    for name, value in lines:
        lists.setdefault(name, []).append(value)
    yield "dict of lists", lists


def check(propagator: Propagator, lines: list[tuple[str, str]]) -> int:
    """How many of the carriers the fast path has handled."""
    fast = 0
    for kind, carrier in carriers(lines):
        reference = propagator._reference(carrier)
        # Twice: the first result may come from a template of another shape, or make one.
        for _ in range(2):
            assert list(propagator.get_forward_headers(carrier).items()) == list(reference.items()), (kind, lines)
        captured = propagator.extract(carrier)
        assert list(captured.items()) == list(reference.items()), (kind, lines)
        fast += propagator._is_fast(carrier)
    return fast


@pytest.mark.parametrize("policy", POLICIES)
def test_both_paths_agree_on_every_conformance_vector(policy: str) -> None:
    inbound = [case["inbound"] for _, case in load_cases() if "inbound" in case]
    assert len(inbound) > 100
    fast = sum(check(POLICIES[policy], [(name, value) for name, value in lines]) for lines in inbound)
    assert (fast == 0) == policy.startswith("too many")


@pytest.mark.parametrize("policy", POLICIES)
def test_both_paths_agree_on_random_headers(policy: str) -> None:
    chance = random.Random(20260801)
    propagator = POLICIES[policy]
    names = [name.replace("*", "some-key") for name in propagator.names[:60]]
    names += [
        "accept",
        "host",
        "x-forwarded-for",
        "x_under",
        "x-under",
        "content-type",
        "x-canary-",
        "x-canary-internal",
    ]
    names += ["X-Canary-A", "x-canary-b", "UBERCTX-k", "x-request-i", "x-request-idd", "b", "", "x-b3-\xe9"]
    plain = "abcXYZ019 -_=;,/."
    odd = [*plain * 4, "\t", "\x00", "\r", "\n", "\x1f", "\x7f", "\x80", "\xa0", "\xe9", "\xff"]
    fast = 0
    for _ in range(1500):
        lines = []
        for _ in range(chance.randrange(14)):
            name = chance.choice(names)
            name = chance.choice([name, name.title(), name.upper(), name])
            letters = odd if chance.random() < 0.05 else plain
            lines.append((name, "".join(chance.choices(letters, k=chance.choice([0, 1, 1, 8, 8, 8, 40])))))
        fast += check(propagator, lines)
    assert (fast == 0) == policy.startswith("too many")


@pytest.mark.parametrize("lines", [CURL, BOOKINFO], ids=["curl", "all of Bookinfo"])
def test_what_requests_look_like_takes_the_fast_path(lines: list[tuple[str, str]]) -> None:
    assert check(POLICIES["istio"], lines) == 9
    assert check(POLICIES["prefixes"], lines) == 9


def test_names_of_a_class_of_their_own_are_not_kept() -> None:
    propagator = Propagator()
    pairs = [(Name("x-request-id"), "7f6c")]
    for _ in range(2):
        assert propagator.get_forward_headers(pairs) == {"x-request-id": "7f6c"}
    name = weakref.ref(pairs.pop()[0])
    assert name() is None


def test_pairs_of_an_environ_are_read_as_one() -> None:
    pairs = [("REQUEST_METHOD", "GET"), ("HTTP_X_REQUEST_ID", "7f6c"), ("x-b3-traceid", "1")]
    assert Propagator().get_forward_headers(pairs) == {"x-request-id": "7f6c"}


def test_more_shapes_than_there_are_templates_for_all_come_out_right() -> None:
    propagator = Propagator()
    for number in range(200):
        lines = [pair for bit, pair in enumerate(BOOKINFO) if (number * 2654435761) >> bit & 1]
        check(propagator, lines)
        check(propagator, CURL)

"""Carriers that misbehave: an exception of Onward's, or a counted drop; never a crash, never silence."""

from __future__ import annotations

import collections
import concurrent.futures
import sys
import threading
import unittest.mock

import onward
import pytest

extract = onward.default().extract


class Raising(dict):
    def items(self):
        raise ZeroDivisionError("from the carrier")


class RaisingKeys:
    def keys(self):
        return ["x-request-id"]

    def items(self):
        yield "x-request-id", "1"
        raise ZeroDivisionError("from the carrier")


class RaisingAttribute:
    @property
    def environ(self):
        raise ZeroDivisionError("from the carrier")


@pytest.mark.parametrize("carrier", [Raising(), RaisingKeys(), RaisingAttribute()])
def test_what_a_carrier_raises_is_the_cause_of_a_carrier_error(carrier) -> None:
    with pytest.raises(onward.CarrierError, match="from the carrier") as caught:
        onward.get_forward_headers(carrier)
    assert caught.value.code == "unsupported_carrier"
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with pytest.raises(onward.CarrierError):
        extract(carrier)


class RaisingItem:
    def keys(self):
        return ["x-request-id"]

    def __getitem__(self, name):
        raise ZeroDivisionError("from the carrier")


def test_a_mapping_whose_values_cannot_be_had_is_a_clear_error() -> None:
    with pytest.raises(onward.CarrierError) as caught:
        onward.get_forward_headers(RaisingItem())
    assert caught.value.code == "unsupported_carrier"

    class Half(collections.UserDict):
        def __getitem__(self, name):
            raise ZeroDivisionError("from the carrier")

    with pytest.raises(onward.CarrierError, match="from the carrier") as caught:
        onward.get_forward_headers(Half({"x-request-id": "1"}))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_an_interrupt_goes_through_unchanged() -> None:
    class Interrupted:
        def items(self):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        onward.get_forward_headers(Interrupted())


@pytest.mark.parametrize("carrier", [None, 3, 2.5, "x-request-id", b"x-request-id", object(), lambda: None, str])
def test_what_holds_no_headers_is_a_clear_error(carrier) -> None:
    with pytest.raises(onward.CarrierError, match="pass the request itself") as caught:
        onward.get_forward_headers(carrier)
    assert caught.value.code == "unsupported_carrier"
    assert caught.value.token in str(caught.value)


@pytest.mark.parametrize(
    "carrier",
    [
        [1],
        ["ab"],
        [("x",)],
        [("x", "y", "z")],
        [("x", "y"), None],
        iter([("x", "y"), 3]),
        {"type": "http", "headers": [3]},
    ],
)
def test_pairs_that_are_no_pairs_are_a_clear_error(carrier) -> None:
    with pytest.raises(onward.CarrierError, match="pairs"):
        onward.get_forward_headers(carrier)


def test_keys_that_are_no_names_are_passed_over() -> None:
    carrier = {
        3: "a",
        None: "b",
        ("x",): "c",
        "\ud800": "d",
        "x-request-id\u0100": "e",
        "x-request-id": "ok",
        b"\xff": "f",
    }
    assert onward.get_forward_headers(carrier) == {"x-request-id": "ok"}
    assert onward.get_forward_headers(list(carrier.items())) == {"x-request-id": "ok"}


def test_values_that_are_no_bytes_are_dropped_and_counted() -> None:
    carrier = {
        "x-request-id": "\u0100",
        "traceparent": "\ud800",
        "tracestate": None,
        "cookie": 3,
        "jwt": ["ok", object()],
        "authorization": bytearray(b"ok"),
        "accept": None,
    }
    headers = extract(carrier)
    assert dict(headers) == {"authorization": "ok", "jwt": "ok"}
    assert headers.dropped == [
        ("x-request-id", "not_latin1"),
        ("traceparent", "not_latin1"),
        ("tracestate", "not_text"),
        ("cookie", "not_text"),
        ("jwt", "not_text"),
    ]
    explanation = headers.explain()
    assert [(row["name"], row["class"], row["outcome"], row["rule"]) for row in explanation] == [
        ("authorization", "credential", "forwarded", "R1"),
        ("jwt", "credential", "forwarded", "R1"),
        ("x-request-id", "trace", "dropped", "R10"),
        ("traceparent", "trace", "dropped", "R10"),
        ("tracestate", "trace", "dropped", "R10"),
        ("cookie", "credential", "dropped", "R10"),
    ]
    assert "not one byte" in str(explanation)


def test_bytes_of_any_encoding_go_on_as_they_are() -> None:
    scope = {"type": "http", "headers": [(b"jwt", b"\xff\xfe\x80"), (b"end-user", "jos\xe9 \u65e5".encode())]}
    headers = extract(scope)
    assert headers.lines() == [("end-user", "jos\xc3\xa9 \xe6\x97\xa5"), ("jwt", "\xff\xfe\x80")]
    raw = {}
    headers.inject(raw)
    assert raw["jwt"].encode("latin-1") == b"\xff\xfe\x80"


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\0b", b"a\r\nb"])
def test_a_value_that_could_split_a_request_is_dropped(value) -> None:
    for carrier in (
        {"x-request-id": value},
        [("x-request-id", value)],
        {"REQUEST_METHOD": "GET", "HTTP_X_REQUEST_ID": value},
    ):
        headers = extract(carrier)
        assert dict(headers) == {} == onward.get_forward_headers(carrier)
        assert headers.dropped == [("x-request-id", "forbidden_byte")]


def test_huge_values_and_lists_are_dropped_and_counted() -> None:
    huge = "x" * 10_000_000
    headers = extract({"x-request-id": "1", "cookie": huge})
    assert dict(headers) == {"x-request-id": "1"}
    assert headers.dropped == [("cookie", "too_large")]
    many = extract([("cookie", "x" * 100)] * 100_000)
    assert dict(many) == {}
    assert many.dropped


def test_a_dict_that_changes_while_it_is_read_crashes_nothing() -> None:
    class Name(str):
        __slots__ = ()

        def __hash__(self):
            return str.__hash__(self)

        def __eq__(self, other):
            carrier.clear()
            overwriting.append(["-".join("xy") for _ in range(100)])
            return str.__eq__(self, other)

    overwriting = []

    for _ in range(50):
        carrier = {Name("HTTP_X_REQUEST_ID"): "-".join("ab"), "REQUEST_METHOD": "GET", "HTTP_COOKIE": "-".join("cd")}
        assert set(onward.get_forward_headers(carrier)) <= {"x-request-id", "cookie"}


def test_a_list_that_changes_while_it_is_read_crashes_nothing() -> None:
    class Pair(tuple):
        __slots__ = ()

        def __iter__(self):
            lines.clear()
            return tuple.__iter__(self)

        def __getitem__(self, index):
            lines.clear()
            return tuple.__getitem__(self, index)

    for _ in range(50):
        lines = [Pair(("x-request-id", "-".join("ab"))), ("cookie", "-".join("cd")), ("jwt", "-".join("ef"))]
        for carrier in (lines, {"type": "http", "headers": lines}):
            try:
                forwarded = onward.get_forward_headers(carrier)
            except onward.CarrierError:
                continue
            assert set(forwarded) <= {"x-request-id", "cookie", "jwt"}


def test_a_mapping_that_changes_while_it_is_read_is_an_error_or_a_whole() -> None:
    class Changing(dict):
        def items(self):
            for name in list(self):
                self[f"x-b3-{name}"] = "1"
                yield name, dict.get(self, name)

    headers = onward.get_forward_headers(Changing({"x-request-id": "1", "cookie": "a=b"}))
    assert headers == {"x-request-id": "1", "cookie": "a=b"}

    class Growing(collections.UserDict):
        def __getitem__(self, name):
            self.data["x-b3-flags"] = "1"
            return self.data[name]

    with pytest.raises(onward.CarrierError, match="changed"):
        onward.get_forward_headers(Growing({"x-request-id": "1", "cookie": "a=b"}))


def test_a_key_that_raises_when_compared_crashes_nothing() -> None:
    class Name(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other):
            raise ZeroDivisionError

    carrier = {Name("HTTP_X_REQUEST_ID"): "1", "REQUEST_METHOD": "GET", "HTTP_COOKIE": "a=b"}
    assert onward.get_forward_headers(carrier) == {"x-request-id": "1", "cookie": "a=b"}


def test_subclasses_of_everything_are_read() -> None:
    class Text(str):
        __slots__ = ()

    for carrier in (
        collections.OrderedDict({"X-Request-Id": "1"}),
        collections.UserDict({"X-Request-Id": "1"}),
        collections.ChainMap({"X-Request-Id": "1"}),
        {Text("X-Request-Id"): Text("1")},
        collections.UserList([("X-Request-Id", "1")]),
        zip(["X-Request-Id"], ["1"], strict=True),
        collections.defaultdict(str, {"REQUEST_METHOD": "GET", "HTTP_X_REQUEST_ID": "1"}),
    ):
        forwarded = onward.get_forward_headers(carrier)
        assert forwarded == {"x-request-id": "1"}
        assert type(forwarded["x-request-id"]) is str


def test_an_object_that_answers_to_every_name_is_no_carrier() -> None:
    with pytest.raises(onward.CarrierError):
        onward.get_forward_headers(unittest.mock.Mock())
    assert onward.get_forward_headers(unittest.mock.Mock(headers={"x-request-id": "1"})) == {"x-request-id": "1"}


def test_a_proxy_to_itself_ends() -> None:
    class Endless:
        @property
        def headers(self):
            return self

        def __call__(self):
            return self

    class Loop:
        def _get_current_object(self):
            return self

    for carrier in (Endless(), Loop()):
        with pytest.raises(onward.CarrierError):
            onward.get_forward_headers(carrier)


def test_carriers_that_hold_themselves_end() -> None:
    endless = {"x-request-id": "1"}
    endless["cookie"] = endless["headers"] = endless
    nested = ["x-request-id"]
    nested.append(nested)
    scope = {"type": "http"}
    scope["headers"] = [(b"x-request-id", b"1"), (b"cookie", scope)]
    assert onward.get_forward_headers(endless) == {"x-request-id": "1"}
    assert onward.get_forward_headers([nested]) == {"x-request-id": "x-request-id"}
    assert onward.get_forward_headers(scope) == {"x-request-id": "1"}
    assert extract(endless).dropped == [("cookie", "not_text")]
    pairs = []
    pairs.append(pairs)
    with pytest.raises(onward.CarrierError, match="pairs"):
        onward.get_forward_headers(pairs)
    target = {"cookie": endless}
    target["x-b3-flags"] = target
    extract({"x-request-id": "1", "cookie": "a=b"}).inject(target)
    assert target["x-request-id"] == "1"
    assert target["cookie"] is endless


@pytest.mark.parametrize("target", [None, 3, "text", (("a", "b"),), frozenset()])
def test_what_headers_cannot_be_written_to_is_a_clear_error(target) -> None:
    with pytest.raises(onward.CarrierError, match="cannot be written"):
        extract({"x-request-id": "1"}).inject(target)


def test_a_target_that_raises_is_the_cause_of_a_carrier_error() -> None:
    class Target(dict):
        def __setitem__(self, name, value):
            raise ZeroDivisionError("read only")

    with pytest.raises(onward.CarrierError, match="read only"):
        extract({"x-request-id": "1"}).inject(Target())


def test_threads_that_share_everything_get_what_they_asked_for() -> None:
    """One propagator, one capture, and one carrier that another thread keeps changing."""
    propagator = onward.Propagator(add="x-canary-*")
    captured = propagator.extract({"x-request-id": "1", "x-canary-a": "2", "cookie": "a=b"})
    shared = {"REQUEST_METHOD": "GET", "HTTP_X_REQUEST_ID": "1"}
    stop = threading.Event()

    def change():
        number = 0
        while not stop.is_set():
            number += 1
            shared[f"HTTP_X_CANARY_{number % 50}"] = str(number)
            shared.pop(f"HTTP_X_CANARY_{(number + 25) % 50}", None)

    def work(me):
        own = {"REQUEST_METHOD": "GET", "HTTP_X_REQUEST_ID": f"r{me}", "HTTP_COOKIE": f"c{me}"}
        for _ in range(2000):
            assert propagator.get_forward_headers(own) == {"x-request-id": f"r{me}", "cookie": f"c{me}"}
            target = {"accept": "*/*"}
            captured.inject(target, "http://reviews:9080/")
            assert target == {"accept": "*/*", "x-request-id": "1", "cookie": "a=b", "x-canary-a": "2"}
            forwarded = propagator.get_forward_headers(shared)
            assert forwarded.pop("x-request-id") == "1"
            assert all(name.startswith("x-canary-") and value.isdecimal() for name, value in forwarded.items())
        return me

    changing = threading.Thread(target=change, daemon=True)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    changing.start()
    try:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            assert list(pool.map(work, range(8))) == list(range(8))
    finally:
        sys.setswitchinterval(interval)
        stop.set()
        changing.join()


def test_repeated_use_of_bad_input_leaks_no_references() -> None:
    value = "-".join(["bad", "\r"])
    bad = {"x-request-id": value, "cookie": "a=b"}
    onward.get_forward_headers(bad)
    before = sys.getrefcount(value)
    for _ in range(1000):
        onward.get_forward_headers(bad)
        extract(bad)
        onward.get_forward_headers({"x-request-id": "1", "cookie": bad["cookie"]})
    assert sys.getrefcount(value) == before


def test_a_callers_header_wins_even_if_its_value_is_no_text() -> None:
    carrier = {"end-user": "\u20ac", "X-Request-Id": 7, "tracestate": None}
    before = dict(carrier)
    inbound = {"x-request-id": "7f6c", "traceparent": "00-1", "end-user": "jason", "jwt": "a"}
    captured = onward.Propagator().extract(inbound)
    captured.inject(carrier)
    assert carrier == before | {"jwt": "a"}
    assert [row["outcome"] for row in captured.explain(None, before)] == ["held_back"] * 3 + ["forwarded"]

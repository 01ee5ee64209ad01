"""The contract as data: every vector, in every carrier that can hold it."""

from __future__ import annotations

import json
from collections import Counter

import multidict
import onward
import pytest
import starlette.datastructures
import werkzeug.datastructures
from conftest import CONFORMANCE, load_cases
from onward import OnwardError, Propagator, current, messages

CASES = load_cases()
KNOWN = {
    "name", "rule", "reason", "env", "limits", "inbound", "span", "destination", "message", "outbound",
    "default_user_agent",
    "lines", "single", "dropped", "explain", "policy", "in_mesh", "error", "request_id", "trace_id",
}  # fmt: skip
ran: Counter[str] = Counter()


def propagator_of(case: dict) -> Propagator:
    propagator = Propagator.from_env(case.get("env", {}))
    return propagator.derive(**case["limits"]) if "limits" in case else propagator


def pairs_of(lines: list) -> list[tuple[str, str]]:
    return [(name, value) for name, value in lines]


def beside(case: dict, headers: onward.ForwardHeaders) -> onward.ForwardHeaders:
    """The headers beside the case's tracer, if it has one."""
    if "span" not in case:
        return headers
    span = case["span"]
    return headers.with_parent(
        trace_id=int(span["trace_id"], 16),
        span_id=int(span["span_id"], 16),
        trace_flags=int(span["sampled"]),
        trace_state=span.get("trace_state", ""),
    )


def inbound_carriers(lines: list[tuple[str, str]]):
    """The same inbound headers in every shape that keeps repeated lines."""
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in lines]
    yield "pairs", lines
    yield "tuple of lists", tuple([name, value] for name, value in lines)
    yield "bytes pairs", encoded
    yield "ASGI scope", {"type": "http", "headers": encoded}
    yield "generator", (pair for pair in lines)
    grouped: dict[str, list[str]] = {}
    spelled: dict[str, str] = {}
    for name, value in lines:
        grouped.setdefault(spelled.setdefault(name.lower(), name), []).append(value)
    yield "dict of lists", grouped
    if len({name.lower() for name, _ in lines}) == len(lines):
        yield "dict", dict(lines)
        yield "dict of bytes", dict(encoded)
    if all(name.isascii() and name for name, _ in lines):
        yield (
            "Starlette",
            starlette.datastructures.Headers(raw=[(name.lower(), value) for name, value in encoded]),
        )
    if not any(character in value for _, value in lines for character in "\r\n"):
        headers = werkzeug.datastructures.Headers()
        for name, value in lines:
            headers.add(name, value)
        yield "Werkzeug", headers
    if all(value.isascii() for _, value in lines):
        yield "multidict", multidict.CIMultiDict(lines)


@pytest.mark.parametrize(("group", "case"), CASES, ids=[case["name"] for _, case in CASES])
def test_vector(group: str, case: dict) -> None:
    ran[group] += 1
    assert set(case) <= KNOWN
    if "error" in case:
        with pytest.raises(OnwardError) as caught:
            propagator_of(case)
        assert caught.value.code == case["error"]["kind"]
        assert caught.value.token == case["error"].get("token", caught.value.token)
        return
    propagator = propagator_of(case)
    destination = case.get("destination")
    if "policy" in case:
        assert propagator.names == case["policy"]
    if "in_mesh" in case:
        assert propagator.in_mesh(destination) is case["in_mesh"]
    outbound = pairs_of(case.get("outbound", []))
    if "message" in case:
        check_message(case, propagator, outbound)
    elif "inbound" not in case and ("lines" in case or "trace_id" in case):
        check_capture(case, beside(case, current()), outbound, destination, "outside a request")
    elif "inbound" in case:
        for kind, carrier in inbound_carriers(pairs_of(case["inbound"])):
            check_capture(case, beside(case, propagator.extract(carrier)), outbound, destination, kind)


def check_capture(case: dict, headers, outbound: list, destination: str | None, kind: str) -> None:
    library_default = case.get("default_user_agent", False)
    if "lines" in case and not library_default:
        expected = outbound + pairs_of(case["lines"])
        carrier = list(outbound)
        headers.inject(carrier, destination)
        assert carrier == expected, kind
        if all(name.isascii() for name, _ in outbound):
            several = werkzeug.datastructures.Headers(outbound)
            headers.inject(several, destination)
            assert Counter(several.items()) == Counter(expected), kind
            assert [pair for pair in several.items() if pair not in outbound] == [
                pair for pair in pairs_of(case["lines"]) if pair not in outbound
            ], kind
    if "lines" in case and library_default:
        added = headers._additions(destination, outbound, ["user-agent"], repeats=True)
        assert added == pairs_of(case["lines"]), kind
    if "single" in case and not library_default:
        carrier = dict(outbound)
        headers.inject(carrier, destination)
        assert list(carrier.items()) == list(dict(outbound).items()) + pairs_of(case["single"]), kind
    if "single" in case and library_default:
        added = headers._additions(destination, outbound, ["user-agent"])
        assert added == pairs_of(case["single"]), kind
    if "dropped" in case:
        assert set(headers.dropped) == set(pairs_of(case["dropped"])), kind
    if "trace_id" in case:
        assert (headers.request_id, headers.trace_id) == (case["request_id"], case["trace_id"]), kind
    if "explain" in case:
        explanation = headers.explain(destination, outbound, ["user-agent"] if library_default else [])
        assert [[row["name"], row["outcome"], row["rule"]] for row in explanation] == case["explain"], kind
        assert all(row["reason"] for row in explanation)


def check_message(case: dict, propagator: Propagator, outbound: list) -> None:
    if "inbound" not in case:
        check_written(case, propagator, outbound, "outside a request")
        return
    for kind, carrier in inbound_carriers(pairs_of(case["inbound"])):
        captured = beside(case, propagator.extract(carrier))
        if "dropped" in case:
            assert set(captured.dropped) == set(pairs_of(case["dropped"])), kind
        with onward.scope(captured):
            check_written(case, propagator, outbound, kind)


def check_written(case: dict, propagator: Propagator, outbound: list, kind: str) -> None:
    if "lines" in case:
        before, added = in_bytes(outbound), in_bytes(case["lines"])
        message = list(before)
        assert messages.inject(message, **case["message"]) is message
        assert message == before + added, kind
        if not before:
            assert messages.extract(message, propagator=propagator).lines() == pairs_of(case["lines"]), kind
    if "single" in case:
        table = dict(outbound)
        messages.inject(table, **case["message"])
        assert list(table.items()) == outbound + [(name, text(value)) for name, value in in_bytes(case["single"])], kind
        if not outbound:
            assert messages.extract(table, propagator=propagator).lines() == pairs_of(case["single"]), kind
    if "explain" in case:
        explanation = messages.explain(dict(outbound), **case["message"])
        assert [[row["name"], row["outcome"], row["rule"]] for row in explanation] == case["explain"], kind


def in_bytes(lines: list) -> list[tuple[str, bytes]]:
    return [(name, value.encode("latin-1")) for name, value in lines]


def text(value: bytes) -> str | bytes:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


# The cases that say what goes into an empty carrier with one value a name.
BY_HAND = [
    case
    for _, case in CASES
    if "single" in case and "inbound" in case and not {"outbound", "message", "span"} & set(case)
]


@pytest.mark.parametrize("case", BY_HAND, ids=[case["name"] for case in BY_HAND])
def test_forwarding_by_hand_gives_the_joined_headers(case: dict) -> None:
    propagator = propagator_of(case)
    for kind, carrier in inbound_carriers(pairs_of(case["inbound"])):
        forwarded = propagator.get_forward_headers(carrier, case.get("destination"))
        assert list(forwarded.items()) == pairs_of(case["single"]), kind


def test_every_vector_was_run(request: pytest.FixtureRequest) -> None:
    if len(request.session.items) < len(CASES):
        pytest.skip("only some tests were selected")
    index = json.loads((CONFORMANCE / "index.json").read_text())
    assert sum(ran.values()) == index["cases"]

"""Which headers reach the upstreams."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from shop import Lines, Shop

UNDER_ONWARD_RUN = (sys.executable, "-m", "onward", sys.executable)

# Bookinfo's 20 headers in its order, each with a value that a parser, a trimmer or a re-encoder would change.
BOOKINFO: Lines = [
    ("x-request-id", "7e5c7fd2-6f4f-9f2d-8a65-0a4c3e6f1d21"),
    ("x-ot-span-context", "EhQJwrlBaJq8fCURtVpOCHyN7BIiAAAA+/=="),
    ("x-datadog-trace-id", "11803532876627986230"),
    ("x-datadog-parent-id", "67667974448284343"),
    ("x-datadog-sampling-priority", "-1"),
    ("traceparent", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"),
    ("tracestate", "rojo=00f067aa0ba902b7,  congo=t61rcWkgMzE"),
    ("x-cloud-trace-context", "105445aa7843bc8bf206b12000100000/1;o=1"),
    ("grpc-trace-bin", "AABL+S81d7NNpqPOkp0ADkc2ATTwZ6oLqQK3AgE"),
    ("x-b3-traceid", "463ac35c9f6413ad"),
    ("x-b3-spanid", "A2FB4A1D1A96D312"),
    ("x-b3-parentspanid", "0020000000000001"),
    ("x-b3-sampled", "true"),
    ("x-b3-flags", "1"),
    ("sw8", "1-TRACE-SEGMENT-3-U0VSVklDRQ==-SU5TVEFOQ0U=-L2VuZA==-cGVlcjo4MA=="),
    ("end-user", "mallory"),
    ("user-agent", "Mozilla/5.0 (X11;\tLinux)"),
    ("cookie", 'theme=dark; a="b, c"'),
    ("authorization", "Bearer aa.bb.cc=="),
    ("jwt", "aaa.\xe9.ccc"),
]
NAMES = {name for name, _ in BOOKINFO}
# `end-user` comes from the session, never from a client.
EXPECTED = sorted((name, value) for name, value in BOOKINFO if name != "end-user")


@pytest.fixture(params=["explicit", "under onward-run"])
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """productpage in both of its forms."""
    shop = Shop(*UNDER_ONWARD_RUN) if request.param == "under onward-run" else Shop()
    # The session says who the user is, and productpage sends that by itself.
    shop.env["ONWARD_HEADERS"] = "-end-user"
    yield shop
    shop.stop()


def test_every_call_for_the_page_carries_the_headers_byte_for_byte(shop: Shop) -> None:
    shop.get("/productpage", [*BOOKINFO, ("x-not-forwarded", "1")])
    for stub in (shop.details, shop.reviews):
        (call,) = stub.calls
        assert call.only(NAMES | {"x-not-forwarded"}) == EXPECTED


@pytest.mark.parametrize(
    ("path", "upstream"),
    [
        ("/api/v1/products/0", "details"),
        ("/api/v1/products/0/reviews", "reviews"),
        ("/api/v1/products/0/ratings", "ratings"),
    ],
)
def test_every_call_of_the_api_carries_the_headers_byte_for_byte(shop: Shop, path: str, upstream: str) -> None:
    shop.get(path, BOOKINFO)
    (call,) = getattr(shop, upstream).calls
    assert call.only(NAMES) == EXPECTED


@pytest.mark.parametrize("upstream", ["reviews", "ratings"])
def test_the_headers_that_bookinfos_own_test_sends_arrive(shop: Shop, upstream: str) -> None:
    sent = [
        ("x-request-id", "34eeb41d-d267-9e49-8b84-dde403fc5b72"),
        ("x-b3-traceid", "40c7fdf104e3de67"),
        ("x-b3-spanid", "40c7fdf104e3de67"),
        ("x-b3-sampled", "1"),
        ("sw8", "40c7fdf104e3de67"),
    ]
    assert shop.get(f"/api/v1/products/0/{upstream}", sent).status == 200
    assert getattr(shop, upstream).calls[0].only(NAMES - {"user-agent"}) == sorted(sent)


def test_the_second_attempt_carries_the_headers_too(shop: Shop) -> None:
    shop.reviews.statuses = [503]
    shop.get("/api/v1/products/0/reviews", BOOKINFO)
    assert [call.only(NAMES) for call in shop.reviews.calls] == [EXPECTED, EXPECTED]


def test_an_empty_header_is_not_forwarded(shop: Shop) -> None:
    shop.get("/api/v1/products/0", [("x-request-id", "1"), ("x-b3-sampled", ""), ("tracestate", "")])
    assert shop.details.calls[0].only({"x-request-id", "x-b3-sampled", "tracestate"}) == [("x-request-id", "1")]


def test_a_user_who_signed_in_is_the_end_user_of_every_call(shop: Shop) -> None:
    cookie = shop.login("jason")
    page = shop.get("/productpage", [("cookie", cookie), ("end-user", "mallory")])
    assert "Signed in as <strong>jason</strong>" in page.body
    for stub in (shop.details, shop.reviews):
        assert stub.calls[0].only({"end-user", "cookie"}) == [("cookie", cookie), ("end-user", "jason")]


def test_a_user_name_beyond_latin_1_arrives_as_utf_8(shop: Shop) -> None:
    cookie = shop.login("%EC%98%88%EC%A7%84")
    shop.get("/api/v1/products/0", [("cookie", cookie)])
    assert shop.details.calls[0].only({"end-user"}) == [("end-user", "예진".encode().decode("latin-1"))]


def test_the_calls_of_a_flood_carry_the_headers_too(shop: Shop) -> None:
    shop.env["FLOOD_FACTOR"] = "3"
    shop.get("/productpage", BOOKINFO)
    assert [call.only(NAMES) for call in shop.reviews.calls] == [EXPECTED] * 4


@pytest.mark.parametrize("form", ["explicit", "alone"])
def test_with_the_demos_forwarding_off_nothing_arrives(form: str) -> None:
    shop = Shop(sys.executable) if form == "alone" else Shop()
    shop.env["ONWARD_DEMO_FORWARDING"] = "off"
    try:
        shop.get("/productpage", BOOKINFO)
        for stub in (shop.details, shop.reviews):
            # The client library names itself, as it does for every request without a user agent.
            assert stub.calls[0].only(NAMES) == [("user-agent", "python-requests/2.34.2")]
    finally:
        shop.stop()

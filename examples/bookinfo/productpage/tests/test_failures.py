"""What productpage makes of upstreams that fail."""

from __future__ import annotations

import pytest
from shop import Shop

import upstreams

SORRY = "Sorry, product {} are currently unavailable for this book."


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/v1/products/0", "details"),
        ("/api/v1/products/0/reviews", "reviews"),
        ("/api/v1/products/0/ratings", "ratings"),
    ],
)
class TestApi:
    def test_a_failure_keeps_the_upstreams_status(self, shop: Shop, path: str, name: str) -> None:
        getattr(shop, name).status = 404
        answer = shop.get(path)
        assert (answer.status, answer.body.strip()) == (404, f'{{"error":"{SORRY.format(name)}"}}')

    def test_an_upstream_that_cannot_be_reached_is_a_500(self, shop: Shop, path: str, name: str) -> None:
        getattr(shop, name).stop()
        answer = shop.get(path)
        assert (answer.status, answer.body.strip()) == (500, f'{{"error":"{SORRY.format(name)}"}}')

    def test_an_upstream_that_answers_no_json_is_a_500(self, shop: Shop, path: str, name: str) -> None:
        getattr(shop, name).body = "<html>"
        answer = shop.get(path)
        assert (answer.status, answer.body.strip()) == (500, f'{{"error":"{SORRY.format(name)}"}}')

    def test_an_upstream_that_stays_silent_is_a_500(
        self, shop: Shop, path: str, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(upstreams, "TIMEOUT_SECONDS", 0.2)
        getattr(shop, name).silent = True
        answer = shop.get(path)
        assert (answer.status, answer.body.strip()) == (500, f'{{"error":"{SORRY.format(name)}"}}')

    def test_a_redirect_is_not_followed(self, shop: Shop, path: str, name: str) -> None:
        getattr(shop, name).status = 302
        assert shop.get(path).status == 302
        assert {call.path for call in getattr(shop, name).calls} == {f"/{name}/0"}


def test_an_upstream_has_three_seconds() -> None:
    assert upstreams.TIMEOUT_SECONDS == 3.0


def test_the_page_is_a_200_that_shows_the_failures(shop: Shop) -> None:
    shop.details.status = 500
    shop.reviews.status = 503
    page = shop.get("/productpage")
    assert page.status == 200
    assert "Error fetching product details!" in page.body
    assert SORRY.format("details") in page.body
    assert "Error fetching product reviews!" in page.body
    assert SORRY.format("reviews") in page.body


def test_the_page_shows_that_ratings_are_unavailable(shop: Shop) -> None:
    shop.reviews.body = (
        '{"reviews":[{"reviewer":"R","text":"T","rating":{"error":"Ratings service is currently unavailable"}}]}'
    )
    assert "Ratings service is currently unavailable" in shop.get("/productpage").body


@pytest.mark.parametrize(
    "body",
    ["{}", "[]", "null", '"x"', '{"reviews":5}', '{"reviews":[1]}', '{"reviews":[{"rating":{"stars":"x"}}]}'],
)
def test_json_of_another_shape_still_gives_a_page(shop: Shop, body: str) -> None:
    shop.reviews.body = shop.details.body = body
    assert shop.get("/productpage").status == 200


def test_reviews_get_a_second_attempt_which_counts(shop: Shop) -> None:
    shop.reviews.statuses = [503]
    assert shop.get("/api/v1/products/0/reviews").status == 200
    assert len(shop.reviews.calls) == 2


def test_reviews_get_no_third_attempt(shop: Shop) -> None:
    shop.reviews.statuses = [500, 503]
    assert shop.get("/api/v1/products/0/reviews").status == 503
    assert len(shop.reviews.calls) == 2


def test_details_and_ratings_get_one_attempt(shop: Shop) -> None:
    shop.details.statuses = [503]
    shop.ratings.statuses = [503]
    assert shop.get("/api/v1/products/0").status == 503
    assert shop.get("/api/v1/products/0/ratings").status == 503
    assert len(shop.details.calls) == len(shop.ratings.calls) == 1


def test_a_flood_asks_for_the_reviews_that_many_times_more(shop: Shop) -> None:
    shop.env["FLOOD_FACTOR"] = "40"
    page = shop.get("/productpage", [("x-request-id", "flood")])
    assert "Entertaining!" in page.body
    assert len(shop.reviews.calls) == 41
    assert [call.only({"x-request-id"}) for call in shop.reviews.calls] == [[("x-request-id", "flood")]] * 41

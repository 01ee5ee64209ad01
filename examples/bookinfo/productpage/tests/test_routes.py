"""What productpage answers while all of its upstreams are well."""

from __future__ import annotations

import json

import pytest
from shop import DETAILS, RATINGS, REVIEWS, Shop

from upstreams import Service


@pytest.mark.parametrize("path", ["/", "/index.html"])
def test_the_index_shows_the_call_graph_and_links_to_both_users(shop: Shop, path: str) -> None:
    shop.env.update(SERVICES_DOMAIN="shop.svc", DETAILS_HOSTNAME="details", DETAILS_SERVICE_PORT="9080")
    page = shop.get(path)
    assert page.status == 200
    assert page.header("content-type") == "text/html; charset=utf-8"
    assert "<code>http://details.shop.svc:9080</code>" in page.body
    assert "<td>details, reviews</td>" in page.body
    assert 'href="/productpage?u=normal"' in page.body
    assert 'href="/productpage?u=test"' in page.body


def test_health_is_text(shop: Shop) -> None:
    assert shop.get("/health").body == "Product page is healthy"


def test_the_product_page_shows_details_and_reviews(shop: Shop) -> None:
    page = shop.get("/productpage?u=normal")
    assert page.status == 200
    assert "<h1>The Comedy of Errors</h1>" in page.body
    assert "<dt>Publisher</dt><dd>PublisherA</dd>" in page.body
    assert "<dt>ISBN-13</dt><dd>123-1234567890</dd>" in page.body
    assert "<blockquote>Fun, but thin.</blockquote>" in page.body
    assert '<p class="stars stars-red" role="img" aria-label="4 of 5 stars">' in page.body
    assert page.body.count('class="unlit"') == 1
    assert "Reviews served by <code>reviews-v3</code></p>" in page.body
    assert [call.path for call in shop.details.calls] == ["/details/0"]
    assert [call.path for call in shop.reviews.calls] == ["/reviews/0"]
    assert shop.ratings.calls == []


def test_reviews_without_ratings_show_no_stars(shop: Shop) -> None:
    shop.reviews.body = '{"podname":"v1","clustername":"east","reviews":[{"reviewer":"Reviewer1","text":"Fine."}]}'
    page = shop.get("/productpage")
    assert "<blockquote>Fine.</blockquote>" in page.body
    assert "★" not in page.body
    assert "<code>v1</code> on cluster <code>east</code>" in page.body


def test_text_of_an_upstream_is_escaped(shop: Shop) -> None:
    shop.reviews.body = '{"reviews":[{"reviewer":"<b>","text":"<script>alert(1)</script>"}]}'
    page = shop.get("/productpage")
    assert "<script>" not in page.body
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.body


def test_the_page_needs_no_other_request(shop: Shop) -> None:
    page = shop.get("/productpage")
    assert "<script" not in page.body
    assert 'rel="stylesheet"' not in page.body
    assert "src=" not in page.body


def test_the_list_of_products_asks_nobody(shop: Shop) -> None:
    answer = shop.get("/api/v1/products")
    assert answer.status == 200
    assert answer.header("content-type") == "application/json"
    (product,) = json.loads(answer.body)
    assert list(product) == ["id", "title", "descriptionHtml"]
    assert product["id"] == 0
    assert product["title"] == "The Comedy of Errors"
    assert product["descriptionHtml"].startswith("<a href=")
    assert ">Wikipedia Summary</a>: " in product["descriptionHtml"]
    assert shop.details.calls == shop.reviews.calls == shop.ratings.calls == []


@pytest.mark.parametrize(
    ("path", "upstream", "asked", "body"),
    [
        ("/api/v1/products/0", "details", "/details/0", DETAILS),
        ("/api/v1/products/0/reviews", "reviews", "/reviews/0", REVIEWS),
        ("/api/v1/products/7/ratings", "ratings", "/ratings/7", RATINGS),
        ("/api/v1/products/a%3Fb/ratings", "ratings", "/ratings/a%3Fb", RATINGS),
    ],
)
def test_the_api_passes_the_upstreams_json_on(shop: Shop, path: str, upstream: str, asked: str, body: str) -> None:
    answer = shop.get(path)
    assert answer.status == 200
    assert answer.header("content-type") == "application/json"
    assert answer.body.strip() == body
    assert [call.path for call in getattr(shop, upstream).calls] == [asked]


def test_metrics_count_the_upstreams_answers(shop: Shop) -> None:
    shop.reviews.status = 503
    shop.get("/productpage")
    metrics = shop.get("/metrics")
    assert metrics.header("content-type").startswith("text/plain")
    assert 'request_result_total{destination_app="details",response_code="200"} 1.0' in metrics.body
    assert 'request_result_total{destination_app="reviews",response_code="503"} 1.0' in metrics.body


def test_an_upstreams_address_comes_from_the_environment() -> None:
    assert Service.from_env("ratings", {}).address == "http://ratings:9080"
    env = {"SERVICES_DOMAIN": "prod.svc", "RATINGS_HOSTNAME": "stars", "RATINGS_SERVICE_PORT": "81"}
    assert Service.from_env("ratings", env).address == "http://stars.prod.svc:81"

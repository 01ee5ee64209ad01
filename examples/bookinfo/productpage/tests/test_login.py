"""Signing in and out."""

from __future__ import annotations

import pytest
from shop import Shop

FORM = ("content-type", "application/x-www-form-urlencoded")
REFERER = ("referer", "http://shop.example/productpage?u=test")


def test_login_leads_back_with_a_session_cookie(shop: Shop) -> None:
    response = shop.post("/login", [FORM, REFERER], "username=jason&passwd=x")
    assert response.status == 302
    assert response.header("location") == "http://shop.example/productpage?u=test"
    cookie = response.header("set-cookie")
    assert cookie.startswith("session=")
    assert cookie.endswith("; HttpOnly; Path=/")


def test_login_takes_the_name_from_the_query_too(shop: Shop) -> None:
    response = shop.post("/login?username=jason", [])
    cookie = response.header("set-cookie").split(";")[0]
    assert "Signed in as <strong>jason</strong>" in shop.get("/productpage", [("cookie", cookie)]).body


def test_login_without_a_referer_leads_to_the_product_page(shop: Shop) -> None:
    assert shop.post("/login", [FORM], "username=jason").header("location") == "/productpage"


def test_logout_forgets_the_user(shop: Shop) -> None:
    cookie = shop.login("jason")
    response = shop.get("/logout", [("cookie", cookie), REFERER])
    assert response.status == 302
    assert response.header("location") == "http://shop.example/productpage?u=test"
    assert response.header("set-cookie").startswith("session=;")


def test_nobody_is_signed_in_at_first(shop: Shop) -> None:
    page = shop.get("/productpage")
    assert '<form method="post" action="/login">' in page.body
    assert "Signed in as" not in page.body


def test_an_empty_name_signs_nobody_in(shop: Shop) -> None:
    assert shop.post("/login", [FORM], "username=+").header("set-cookie") == ""


@pytest.mark.parametrize("name", ["a%0D%0Ax-evil:%201", "a%00b", "a%09b"])
def test_a_name_with_control_characters_is_a_400(shop: Shop, name: str) -> None:
    response = shop.post("/login", [FORM], f"username={name}")
    assert (response.status, response.header("set-cookie")) == (400, "")


def test_a_forged_session_is_no_session(shop: Shop) -> None:
    shop.get("/api/v1/products/0", [("cookie", "session=eyJ1c2VyIjoiamFzb24ifQ.aaaaaa.forged")])
    assert shop.details.calls[0].only({"end-user"}) == []

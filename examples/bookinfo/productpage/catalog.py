"""The one book of the shop, and the picture of who calls whom."""

from __future__ import annotations

from typing import Any

from upstreams import Service

PRODUCTS: list[dict[str, Any]] = [
    {
        "id": 0,
        "title": "The Comedy of Errors",
        "descriptionHtml": (
            '<a href="https://en.wikipedia.org/wiki/The_Comedy_of_Errors">Wikipedia Summary</a>: '
            "An early farce by William Shakespeare, and his shortest play. Two pairs of identical twins, "
            "parted at birth by a shipwreck, spend one day in Ephesus being taken for each other."
        ),
    }
]


def call_graph(services: dict[str, Service]) -> dict[str, Any]:
    """Productpage, and below it the services that it asks: `{name, endpoint, children}` at every level."""

    def node(name: str, *children: dict[str, Any]) -> dict[str, Any]:
        return {"name": services[name].address, "endpoint": name, "children": list(children)}

    return {
        "name": "http://productpage:9080",
        "endpoint": "productpage",
        "children": [node("details"), node("reviews", node("ratings"))],
    }

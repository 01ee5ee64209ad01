"""Two inbound requests, and each kind of carrier that holds them.

S is what curl sends through a sidecar: 12 headers, 6 of them forwarded. L is what a browser sends through an ingress:
32 headers, 12 of them forwarded. Carriers come in rings, in which names and values are objects of their own, as they
are in requests that really come in: one carrier read again and again would be in the processor's cache, and its
strings would be known by their addresses.
"""

from __future__ import annotations

from typing import Any

from werkzeug.test import create_environ

RING = 16

S = [
    ("host", "reviews:9080"),
    ("user-agent", "curl/7.88.1"),
    ("accept", "*/*"),
    ("x-forwarded-proto", "http"),
    ("x-request-id", "7b0ac7e5-9f9e-9a1a-8f4e-7a3b5b0f2d11"),
    ("x-envoy-decorator-operation", "reviews.default.svc.cluster.local:9080/*"),
    ("x-envoy-attempt-count", "1"),
    ("x-forwarded-client-cert", "By=spiffe://cluster.local/ns/default/sa/bookinfo-reviews;Hash=6ac1"),
    ("x-b3-traceid", "80f198ee56343ba864fe8b2a57d3eff7"),
    ("x-b3-spanid", "e457b5a2e4d86bd1"),
    ("x-b3-parentspanid", "05e3ac9a4f6e3b90"),
    ("x-b3-sampled", "1"),
]

L = [
    ("host", "productpage.example.com"),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"),
    ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
    ("accept-language", "en-US,en;q=0.9"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("cookie", "session=eyJ1c2VyIjoiamFzb24ifQ.Zx1aAA.0b8G3nq2m3mO3o3Yw; _ga=GA1.1.1234567890.1234567890; theme=dark"),
    ("cache-control", "max-age=0"),
    ("upgrade-insecure-requests", "1"),
    ("sec-ch-ua", '"Chromium";v="140"'),
    ("sec-ch-ua-mobile", "?0"),
    ("sec-ch-ua-platform", '"Linux"'),
    ("sec-fetch-dest", "document"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-site", "same-origin"),
    ("sec-fetch-user", "?1"),
    ("referer", "https://productpage.example.com/"),
    ("dnt", "1"),
    ("priority", "u=0, i"),
    ("x-forwarded-for", "203.0.113.7"),
    ("x-forwarded-proto", "https"),
    ("x-envoy-external-address", "203.0.113.7"),
    ("x-envoy-attempt-count", "1"),
    ("x-request-id", "7b0ac7e5-9f9e-9a1a-8f4e-7a3b5b0f2d11"),
    ("x-b3-traceid", "80f198ee56343ba864fe8b2a57d3eff7"),
    ("x-b3-spanid", "e457b5a2e4d86bd1"),
    ("x-b3-parentspanid", "05e3ac9a4f6e3b90"),
    ("x-b3-sampled", "1"),
    ("traceparent", "00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01"),
    ("tracestate", "es=s:1.0"),
    ("baggage", "userId=alice,serverNode=DF%2028"),
    ("authorization", "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"),
    ("end-user", "jason"),
]


def fresh(text: str) -> str:
    """Give the same text as an object of its own."""
    return "".join([text[:1], text[1:]])


def environ(lines: list[tuple[str, str]]) -> dict[str, Any]:
    made = create_environ("/productpage", "http://localhost:9080")
    for name, value in lines:
        made[fresh("HTTP_" + name.upper().replace("-", "_"))] = fresh(value)
    return made


def scope(lines: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/productpage",
        "raw_path": b"/productpage",
        "query_string": b"",
        "root_path": "",
        "server": ("127.0.0.1", 9080),
        "client": ("127.0.0.1", 40000),
        "headers": [(name.encode(), value.encode()) for name, value in lines],
    }


def plain(lines: list[tuple[str, str]]) -> dict[str, str]:
    return {fresh(name): fresh(value) for name, value in lines}

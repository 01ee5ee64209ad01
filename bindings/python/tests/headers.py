"""Header lists of real requests."""

from __future__ import annotations

CURL = [
    ("host", "reviews:9080"),
    ("user-agent", "curl/7.88.1"),
    ("accept", "*/*"),
    ("x-forwarded-proto", "http"),
    ("x-request-id", "7b0ac7e5-9f9e-9a1a-8f4e-7a3b5b0f2d11"),
    ("x-b3-traceid", "80f198ee56343ba864fe8b2a57d3eff7"),
    ("x-b3-spanid", "e457b5a2e4d86bd1"),
    ("x-b3-parentspanid", "05e3ac9a4f6e3b90"),
    ("x-b3-sampled", "1"),
]

# The 20 names of Bookinfo's services (reviews, details), in their order, each with a value of its own.
BOOKINFO = [
    ("x-request-id", "7b0ac7e5-9f9e-9a1a-8f4e-7a3b5b0f2d11"),
    ("x-ot-span-context", "EigJ8YqIGw=="),
    ("x-datadog-trace-id", "7277407061855694839"),
    ("x-datadog-parent-id", "67667974448284343"),
    ("x-datadog-sampling-priority", "1"),
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("tracestate", "es=s:1.0"),
    ("x-cloud-trace-context", "105445aa7843bc8bf206b12000100000/1;o=1"),
    ("grpc-trace-bin", "AAAR3dGdpb0jQlWKw5NuCAwCAA"),
    ("x-b3-traceid", "80f198ee56343ba864fe8b2a57d3eff7"),
    ("x-b3-spanid", "e457b5a2e4d86bd1"),
    ("x-b3-parentspanid", "05e3ac9a4f6e3b90"),
    ("x-b3-sampled", "1"),
    ("x-b3-flags", "0"),
    ("sw8", "1-VFJBQ0VJRA==-U0VHTUVOVA==-3-UFJPRFVDVA==-aW5zdA==-L2VuZA==-cGVlcg=="),
    ("end-user", "jason"),
    ("user-agent", "Mozilla/5.0"),
    ("cookie", "session=eyJ1c2VyIjoiamFzb24ifQ.Zx"),
    ("authorization", "Bearer eyJhbGciOi"),
    ("jwt", "eyJ0eXAi"),
]

# What of it may leave the mesh.
CONTEXT_AND_CREDENTIALS = {"end-user", "user-agent", "cookie", "authorization", "jwt"}

EVERYTHING = dict(BOOKINFO)
TRACE_ONLY = {name: value for name, value in BOOKINFO if name not in CONTEXT_AND_CREDENTIALS}

_DEFAULT_USER_AGENTS = ("python-requests/", "python-urllib3/", "python-httpx/", "Python/3.", "Python-urllib/3.")


def forwarded(received: dict[str, str]) -> dict[str, str]:
    """What of a received request can be Bookinfo's, without what the client libraries set by themselves."""
    return {
        name: value
        for name, value in received.items()
        if name in EVERYTHING and not value.startswith(_DEFAULT_USER_AGENTS)
    }

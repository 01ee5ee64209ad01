"""The request that every check starts with, Bookinfo's headers, and what may arrive of it."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

# Bookinfo's headers, one of them twice, and one value that is not ASCII.
FORWARDED = [
    ("x-request-id", b"7f6c1d4e-5a3b-4c2d-8e1f-0a9b8c7d6e5f"),
    ("x-ot-span-context", b"span-context=1"),
    ("x-datadog-trace-id", b"1234567890"),
    ("x-datadog-parent-id", b"987654321"),
    ("x-datadog-sampling-priority", b"1"),
    ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("tracestate", b"rojo=00f067aa0ba902b7"),
    ("tracestate", b"congo=t61rcWkgMzE"),
    ("x-cloud-trace-context", b"105445aa7843bc8bf206b12000100000/1;o=1"),
    ("grpc-trace-bin", b"AAAK92UZFs1D3YRI6yEcgDGcAbetaXFpIDMxAgE"),
    ("user-agent", b"Mozilla/5.0 (X11; Linux x86_64)"),
    ("cookie", b'session=a b; user="jason"'),
    ("authorization", b"Bearer secret+/="),
    ("jwt", b"eyJhbGciOiJIUzI1NiJ9.e30.c2ln"),
    ("x-b3-traceid", b"80f198ee56343ba864fe8b2a57d3eff7"),
    ("x-b3-spanid", b"e457b5a2e4d86bd1"),
    ("x-b3-parentspanid", b"05e3ac9a4f6e3b90"),
    ("x-b3-sampled", b"1"),
    ("x-b3-flags", b"0"),
    ("sw8", b"1-TRACEID-SEGID-3-PARENT-INST-EP-OAP"),
    ("end-user", b"jas\xc3\xb6n"),
]

# What is sent, in this order: the last one is a header that nobody forwards.
LINES = [*FORWARDED, ("x-unknown", b"stays")]

# What stays in the mesh; the others are ids and sampling.
INSIDE_ONLY = {"user-agent", "cookie", "authorization", "jwt", "end-user"}


class Expected(enum.Enum):
    """What may arrive at the echo."""

    # Every header, byte for byte.
    ALL = enum.auto()
    # Trace headers only.
    TRACE = enum.auto()
    # Every header, but of the family that the program itself has set only what it has set.
    CALLERS_OWN = enum.auto()
    # A request without any of the headers.
    BARE = enum.auto()
    # No request at all.
    NO_REQUEST = enum.auto()

    def headers(self, lacks: Collection[str]) -> dict[str, bytes] | None:
        """Give the value of each header, without those that a protocol on the way lacks."""
        match self:
            case Expected.NO_REQUEST:
                return None
            case Expected.BARE:
                lines: list[tuple[str, bytes]] = []
            case Expected.ALL:
                lines = FORWARDED
            case Expected.TRACE:
                lines = [line for line in FORWARDED if line[0] not in INSIDE_ONLY]
            case Expected.CALLERS_OWN:
                others = [line for line in FORWARDED if line[0] not in {"traceparent", "tracestate"}]
                lines = [*others, ("tracestate", b"mine=1")]
        return joined([line for line in lines if line[0] not in lacks])


def relevant(lines: list[tuple[str, bytes]], appends: str) -> dict[str, bytes]:
    """Take of what arrived what can come from the inbound request.

    A client's own `user-agent` is not such a line, unless there is a second. `appends` is what the client has written
    behind the forwarded one.
    """
    agents = [value.removesuffix(appends.encode()) for name, value in lines if name == "user-agent"]
    names = {name for name, _ in LINES}
    if len(agents) == 1 and ("user-agent", agents[0]) not in LINES:
        agents = []
    others = [line for line in lines if line[0] in names and line[0] != "user-agent"]
    return joined([*others, *(("user-agent", agent) for agent in agents)])


def joined(lines: list[tuple[str, bytes]]) -> dict[str, bytes]:
    """Give one value a name: most of Python's carriers hold no more, and join repeated lines with a comma."""
    values: dict[str, bytes] = {}
    for name, value in lines:
        values[name] = values[name] + b"," + value if name in values else value
    return values

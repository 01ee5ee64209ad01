from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

CONFORMANCE = Path(__file__).resolve().parents[3] / "conformance"


def load_cases() -> list[tuple[str, dict]]:
    """Every conformance case with its group. Fails when a file has other than what the index promises."""
    index = json.loads((CONFORMANCE / "index.json").read_text())
    assert {entry["file"] for entry in index["files"]} == {
        f"vectors/{path.name}" for path in (CONFORMANCE / "vectors").glob("*.json")
    }
    cases = []
    for entry in index["files"]:
        vectors = json.loads((CONFORMANCE / entry["file"]).read_text())
        assert len(vectors["cases"]) == entry["cases"], entry["file"]
        cases += [(vectors["group"], case) for case in vectors["cases"]]
    assert len(cases) == index["cases"]
    return cases


@pytest.fixture
def server():
    """A service, on loopback, which is always in the mesh."""
    from loopback import Recorder

    recorder = Recorder()
    yield recorder
    recorder.close()


@pytest.fixture
def heads():
    """The same, for bytes."""
    from loopback import HeadRecorder

    recorder = HeadRecorder()
    yield recorder
    recorder.close()


@pytest.fixture
def outside(monkeypatch, server):
    """A URL outside the mesh that leads to the same server.

    It is a name under a public top-level domain that resolves to loopback: a request really leaves for
    `api.example.com`, with that name in its URL and its `Host`, and ends at a server that records it.
    """
    import clients

    monkeypatch.setattr(socket, "getaddrinfo", socket.getaddrinfo)
    clients.resolve_outside()
    return f"http://{clients.OUTSIDE}:{server.port}"


@pytest.fixture
def instrumented():
    import onward

    onward.instrument()
    yield
    onward.uninstrument()


@pytest.fixture
def echo():
    """The port of a gRPC server that answers with what it was sent."""
    from grpc_loopback import Echo, serve

    with serve(Echo()) as port:
        yield port


@pytest.fixture
def forwarding(echo):
    """A channel to it that forwards by an interceptor."""
    import grpc
    from onward.clients.grpc import ClientInterceptor

    target = f"127.0.0.1:{echo}"
    with grpc.insecure_channel(target) as channel:
        yield grpc.intercept_channel(channel, ClientInterceptor(target))


@pytest.fixture
async def forwarding_aio(echo):
    """The same for coroutines."""
    import grpc
    from onward.clients.grpc import aio_interceptors

    target = f"127.0.0.1:{echo}"
    async with grpc.aio.insecure_channel(target, interceptors=aio_interceptors(target)) as channel:
        yield channel

"""Sends the inbound request to a server."""

from __future__ import annotations

import http.client
import urllib.parse

import httpx

import inbound

PATIENCE = 20


def over_http(port: int, route: str, to: str) -> str:
    """Ask a server that speaks HTTP/1.1 for `route`, to call the URL `to`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.putrequest("GET", f"{route}?{urllib.parse.urlencode({'to': to})}", skip_accept_encoding=True)
        for name, value in inbound.LINES:
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        text = response.read().decode()
    finally:
        connection.close()
    if response.status != http.HTTPStatus.OK:
        message = f"{response.status}: {text}"
        raise ConnectionError(message)
    return text


def over_grpc(port: int, route: str, to: str) -> str:
    """Ask a gRPC server, by an HTTP/2 client that sends every header as it is, which gRPC's own does not."""
    message = urllib.parse.urlencode({"to": to}).encode()
    framing = [(b"te", b"trailers"), (b"content-type", b"application/grpc")]
    with httpx.Client(http1=False, http2=True, timeout=PATIENCE) as client:
        response = client.post(
            f"http://127.0.0.1:{port}/matrix.Relay{route}",
            headers=[*framing, *((name.encode(), value) for name, value in inbound.LINES)],
            content=b"\0" + len(message).to_bytes(4, "big") + message,
        )
    if not response.content:
        raise ConnectionError(response.headers.get("grpc-message", "no answer"))
    return response.content[5:].decode()

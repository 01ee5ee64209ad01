"""Sends the inbound request to a server."""

from __future__ import annotations

import http.client
import urllib.parse

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

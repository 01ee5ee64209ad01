"""The clients of the matrix: one file for each library, one object for each way to use it.

A client gives the text of a GET request's answer, with `call` from a thread and with `acall` from a coroutine: one of
them is the library's own way, the other runs it on a thread or in an event loop of its own, in the same scope. Any
status is an answer. The process that calls does, once, `resolve_outside()` and, where a client has names in
`instrument`, `onward.instrument(*client.instrument)`; a client without them has Onward's explicit object in it.
"""

from . import aiohttp, grpc, http_client, httpx, requests, urllib3
from .client import OUTSIDE, Client, caller_headers, resolve_outside

__all__ = ["ALL", "OUTSIDE", "Client", "caller_headers", "resolve_outside"]

ALL: tuple[Client, ...] = (
    *requests.CLIENTS,
    *urllib3.CLIENTS,
    *httpx.CLIENTS,
    *aiohttp.CLIENTS,
    *http_client.CLIENTS,
    *grpc.CLIENTS,
)
"""All of them, in the order of the table."""

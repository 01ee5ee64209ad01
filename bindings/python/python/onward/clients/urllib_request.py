"""`urllib.request`: handlers whose connections add the headers. Otherwise its requests are those of `http.client`."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING, Any

from .http_client import HTTPConnection, HTTPSConnection

if TYPE_CHECKING:
    from http.client import HTTPResponse


class HTTPHandler(urllib.request.HTTPHandler):
    """For an opener, in a program that is not to be patched.

    ``opener = urllib.request.build_opener(HTTPHandler, HTTPSHandler)``
    """

    def do_open(self, http_class: Any, req: urllib.request.Request, **http_conn_args: Any) -> HTTPResponse:  # noqa: ARG002 - ours instead
        return super().do_open(HTTPConnection, req, **http_conn_args)


class HTTPSHandler(urllib.request.HTTPSHandler):
    """The same for `https`."""

    def do_open(self, http_class: Any, req: urllib.request.Request, **http_conn_args: Any) -> HTTPResponse:  # noqa: ARG002 - ours instead
        return super().do_open(HTTPSConnection, req, **http_conn_args)

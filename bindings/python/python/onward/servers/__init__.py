"""Server side: what captures the headers of every request, one file for each protocol and for each framework's own way.

A framework is imported by its own file alone: ``from onward.servers.flask import Onward``.
"""

from .asgi import ASGIMiddleware
from .wsgi import WSGIMiddleware

__all__ = ["ASGIMiddleware", "WSGIMiddleware"]

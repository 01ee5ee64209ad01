"""Server side: what captures the headers of every request, one file for each protocol."""

from .asgi import ASGIMiddleware
from .wsgi import WSGIMiddleware

__all__ = ["ASGIMiddleware", "WSGIMiddleware"]

"""The servers of the matrix: one file for each framework, one `Server` for each way to run it.

To add one, write its file with a tuple `SERVERS`, and put that into `ALL`.
"""

from . import (
    aiohttp,
    asgi,
    bottle,
    django,
    falcon,
    fastapi,
    flask,
    grpc,
    litestar,
    pyramid,
    quart,
    sanic,
    starlette,
    tornado,
    wsgi,
)
from .server import Answer, Server

__all__ = ["ALL", "Answer", "Server"]

ALL: tuple[Server, ...] = (
    *flask.SERVERS,
    *django.SERVERS,
    *starlette.SERVERS,
    *fastapi.SERVERS,
    *aiohttp.SERVERS,
    *tornado.SERVERS,
    *sanic.SERVERS,
    *quart.SERVERS,
    *litestar.SERVERS,
    *falcon.SERVERS,
    *bottle.SERVERS,
    *pyramid.SERVERS,
    *asgi.SERVERS,
    *wsgi.SERVERS,
    *grpc.SERVERS,
)
"""All of them, in the order of the table."""

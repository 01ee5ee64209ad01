"""A Starlette application without a line of Onward: its handler is synchronous, so that it runs in a thread."""

import os

import requests
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route


def call_on(request):
    requests.get(f"{os.environ['RECORDER']}/{request.path_params['name']}", timeout=20)
    return PlainTextResponse("done")


app = Starlette(routes=[Route("/{name}", call_on)])

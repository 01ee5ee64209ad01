"""Every framework that `onward-run` knows and the other programs do not use: `python own_server.py FRAMEWORK PORT`."""

import asyncio
import os
import sys

import gunicorn.app.base
import requests

PORT = int(sys.argv[2])


def call_on(name):
    requests.get(f"{os.environ['RECORDER']}/{name}", timeout=20)
    return "done"


def serve_wsgi(app):
    # Not the standard library's server, which `onward-run` covers by itself.
    class Served(gunicorn.app.base.BaseApplication):
        def load_config(self):
            self.cfg.set("bind", f"127.0.0.1:{PORT}")
            self.cfg.set("control_socket_disable", True)

        def load(self):
            return app

    Served().run()


def serve_asgi(app):
    import uvicorn

    uvicorn.run(app, host="127.0.0.1", port=PORT, lifespan="off", log_level="error")


def aiohttp():
    from aiohttp import web

    async def handler(request):
        return web.Response(text=await asyncio.to_thread(call_on, request.match_info["name"]))

    app = web.Application()
    app.add_routes([web.get("/{name}", handler)])
    web.run_app(app, host="127.0.0.1", port=PORT, print=None)


def bottle():
    import bottle

    bottle.route("/<name>")(call_on)
    serve_wsgi(bottle.default_app())


def falcon():
    import falcon

    class Handler:
        def on_get(self, request, response, name):
            response.text = call_on(name)

    app = falcon.App()
    app.add_route("/{name}", Handler())
    serve_wsgi(app)


def falcon_asgi():
    import falcon.asgi

    class Handler:
        async def on_get(self, request, response, name):
            response.text = await asyncio.to_thread(call_on, name)

    app = falcon.asgi.App()
    app.add_route("/{name}", Handler())
    serve_asgi(app)


def litestar():
    from litestar import Litestar, get

    @get("/{name:str}")
    async def handler(name: str) -> str:
        return await asyncio.to_thread(call_on, name)

    serve_asgi(Litestar([handler]))


def pyramid():
    from pyramid.config import Configurator
    from pyramid.response import Response

    with Configurator() as config:
        config.add_route("any", "/{name}")
        config.add_view(lambda request: Response(call_on(request.matchdict["name"])), route_name="any")
        serve_wsgi(config.make_wsgi_app())


def quart():
    from quart import Quart

    app = Quart(__name__)

    @app.get("/<name>")
    async def handler(name):
        return await asyncio.to_thread(call_on, name)

    serve_asgi(app)


def sanic():
    from sanic import Sanic, text

    app = Sanic("calls")

    @app.get("/<name>")
    async def handler(request, name):
        return text(await asyncio.to_thread(call_on, name))

    app.run(host="127.0.0.1", port=PORT, single_process=True, motd=False)


def tornado():
    from tornado.ioloop import IOLoop
    from tornado.web import Application, RequestHandler

    class Handler(RequestHandler):
        async def get(self, name):
            self.write(await asyncio.to_thread(call_on, name))

    async def main():
        Application([("/(.*)", Handler)]).listen(PORT, "127.0.0.1")
        await asyncio.Event().wait()

    IOLoop.current().run_sync(main)


if __name__ == "__main__":
    globals()[sys.argv[1]]()

"""Bookinfo's productpage: `python productpage.py PORT`, or `gunicorn productpage:app`."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flask import Flask, Request, Response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from werkzeug.serving import WSGIRequestHandler, make_server

from catalog import PRODUCTS, call_graph
from upstreams import Answer, Upstreams

# Public on purpose: all workers need the same one, and any password will do, so the session protects nothing here.
DEMO_SECRET_KEY = "bookinfo-demo"


def create_app(
    env: Mapping[str, str] = os.environ, forwarded: Callable[[Request], dict[str, Any]] = lambda _: {}
) -> Flask:
    """The application, configured by the environment variables that the README lists.

    `forwarded` gives the headers of a request that go with every call made for it.
    """
    app = Flask(__name__)
    app.secret_key = env.get("PRODUCTPAGE_SECRET_KEY") or DEMO_SECRET_KEY
    # The fields of the upstreams' JSON stay in the order in which they came.
    app.json.sort_keys = False  # type: ignore[attr-defined]

    registry = CollectorRegistry()
    upstreams = Upstreams(env, registry)
    flood_factor = int(env.get("FLOOD_FACTOR") or 0)

    def call_headers() -> dict[str, Any]:
        """The headers that every call made for the current request carries."""
        headers = forwarded(request)
        # Who the user is says the session; what a client claims in a header does not count.
        headers.pop("end-user", None)
        if "user" in session:
            # As bytes, because a name need not fit into Latin-1, which is what the client makes of text.
            headers["end-user"] = session["user"].encode()
        return headers

    @app.get("/")
    @app.get("/index.html")
    def index() -> str:
        return render_template("index.html", graph=call_graph(upstreams.services))

    @app.get("/health")
    def health() -> Response:
        return Response("Product page is healthy", mimetype="text/plain")

    @app.post("/login")
    def login() -> ResponseReturnValue:
        user = request.values.get("username", "").strip()
        if not user.isprintable():
            return Response("a user name has printable characters only", status=400, mimetype="text/plain")
        if user:
            session["user"] = user
        return redirect(request.referrer or url_for("front"))

    @app.get("/logout")
    def logout() -> ResponseReturnValue:
        session.pop("user", None)
        return redirect(request.referrer or url_for("front"))

    @app.get("/productpage")
    def front() -> str:
        headers = call_headers()
        details = upstreams.details("0", headers)
        upstreams.flood_reviews("0", headers, flood_factor)
        reviews = upstreams.reviews("0", headers)
        return render_template(
            "productpage.html", product=PRODUCTS[0], details=details, reviews=reviews, user=session.get("user")
        )

    @app.get("/api/v1/products")
    def products() -> list[dict[str, Any]]:
        return PRODUCTS

    @app.get("/api/v1/products/<product_id>")
    def product(product_id: str) -> ResponseReturnValue:
        return as_json(upstreams.details(product_id, call_headers()))

    @app.get("/api/v1/products/<product_id>/reviews")
    def product_reviews(product_id: str) -> ResponseReturnValue:
        return as_json(upstreams.reviews(product_id, call_headers()))

    @app.get("/api/v1/products/<product_id>/ratings")
    def product_ratings(product_id: str) -> ResponseReturnValue:
        return as_json(upstreams.ratings(product_id, call_headers()))

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    def as_json(answer: Answer) -> ResponseReturnValue:
        return app.json.response(answer.body), answer.status

    return app


class QuietHandler(WSGIRequestHandler):
    """Serves without a log line per request: the sidecar's spans tell that story."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def main(app: Flask, arguments: list[str]) -> int:
    """Serves until SIGTERM or Ctrl-C; the exit status is 2 for a port that is none."""
    text = arguments[0] if arguments else "9080"
    if len(arguments) > 1 or not text.isdecimal() or int(text) > 65535:
        print(f"usage: python {Path(sys.argv[0]).name} PORT", file=sys.stderr)
        return 2
    logging.basicConfig(level=logging.WARNING, format="productpage: %(message)s")
    server = make_server(
        os.environ.get("HOST") or "0.0.0.0", int(text), app, threaded=True, request_handler=QuietHandler
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        # `shutdown` waits for the loop to end, and the loop runs on the thread that gets the signal.
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    host = f"[{server.host}]" if ":" in server.host else server.host
    print(f"productpage ready on http://{host}:{server.port}", flush=True)
    server.serve_forever()
    server.server_close()
    return 0


app = create_app()

if __name__ == "__main__":
    sys.exit(main(app, sys.argv[1:]))

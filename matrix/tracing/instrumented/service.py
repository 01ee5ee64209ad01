"""A service beside OpenTelemetry's own instrumentation: `flask`, which calls by requests, or `fastapi`, by httpx.

ORDER is what is registered, and in which order: `onward opentelemetry`, for instance, or one of them alone.
"""

import os
import sys

import fastapi
import flask
import httpx
import onward
import requests
import uvicorn
from onward.servers.flask import Onward
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import set_tracer_provider

NEXT = f"http://{os.environ['NEXT_HOSTNAME']}:{os.environ['NEXT_SERVICE_PORT']}/page"
HOST, PORT = os.environ["HOST"], int(os.environ["PORT"])
ORDER = os.environ["ORDER"].split()


def serve_flask() -> None:
    """Serve by Flask, until it is stopped."""
    app = flask.Flask(__name__)
    app.add_url_rule("/health", view_func=lambda: "", endpoint="health")
    app.add_url_rule("/page", view_func=lambda: requests.get(NEXT, timeout=30).text, endpoint="page")
    for step in ORDER:
        if step == "onward":
            onward.instrument()
            Onward(app)
        else:
            RequestsInstrumentor().instrument()
            FlaskInstrumentor().instrument_app(app, excluded_urls="health")  # type: ignore[no-untyped-call]
    app.run(HOST, PORT, threaded=True)


def serve_fastapi() -> None:
    """Serve by FastAPI, until it is stopped."""
    app = fastapi.FastAPI()

    @app.get("/health")
    async def health() -> str:
        return ""

    @app.get("/page")
    async def page() -> str:
        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            return (await client.get(NEXT)).text

    for step in ORDER:
        if step == "onward":
            onward.instrument()
            app.add_middleware(onward.ASGIMiddleware)
        else:
            HTTPXClientInstrumentor().instrument()
            FastAPIInstrumentor.instrument_app(app, excluded_urls="health", exclude_spans=["receive", "send"])
    uvicorn.run(app, host=HOST, port=PORT, log_level="error")


if "opentelemetry" in ORDER:
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    set_tracer_provider(provider)
{"flask": serve_flask, "fastapi": serve_fastapi}[sys.argv[1]]()

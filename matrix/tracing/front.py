"""The service in Python: Flask and requests, which know nothing of Onward; `onward-run` starts it."""

import os
from contextlib import AbstractContextManager, nullcontext

import flask
import requests

NEXT = f"http://{os.environ['NEXT_HOSTNAME']}:{os.environ['NEXT_SERVICE_PORT']}/page"

app = flask.Flask(__name__)


def no_span() -> AbstractContextManager[object]:
    """Stand for a service without spans."""
    return nullcontext()


span = no_span
if "OTEL_SERVICE_NAME" in os.environ:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.propagate import extract
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import SpanKind

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracer = provider.get_tracer("front")

    def span() -> AbstractContextManager[object]:
        """Make a span of the request that came in, and the current one."""
        return tracer.start_as_current_span("page", extract(flask.request.headers), SpanKind.SERVER)


@app.get("/health")
def health() -> str:
    """Say that it works."""
    return ""


@app.get("/page")
def page() -> str:
    """Call the next one."""
    with span():
        return requests.get(NEXT, timeout=30).text


app.run(os.environ["HOST"], int(os.environ["PORT"]), threaded=True)

"""productpage that forwards by hand: `python explicit.py PORT`, or `gunicorn explicit:app`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from flask import Flask, Request
from onward import default, get_forward_headers

import productpage


def create_app(env: Mapping[str, str] = os.environ) -> Flask:
    """The application, whose calls carry the headers of the request that they are made for."""
    # A mistake in ONWARD_* stops the service here, and not its first request.
    default()
    forwarding = env.get("ONWARD_DEMO_FORWARDING") != "off"

    def forwarded(request: Request) -> dict[str, Any]:
        return dict(get_forward_headers(request)) if forwarding else {}

    return productpage.create_app(env, forwarded)


app = create_app()

if __name__ == "__main__":
    sys.exit(productpage.main(app, sys.argv[1:]))

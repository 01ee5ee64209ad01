"""Flask: an extension."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .wsgi import WSGIMiddleware

if TYPE_CHECKING:
    import flask

    from onward._native import Propagator


class Onward:
    """Hold each request's forward headers in scope while the application handles it and streams its body.

    ``Onward(app)``, or ``onward = Onward()`` and later ``onward.init_app(app)``. It covers views, error handlers and
    whatever runs before and after a request.
    """

    def __init__(self, app: flask.Flask | None = None, propagator: Propagator | None = None) -> None:
        self._propagator = propagator
        if app is not None:
            self.init_app(app)

    def init_app(self, app: flask.Flask) -> None:
        """Cover an application; a second time changes nothing."""
        if "onward" not in app.extensions:
            app.extensions["onward"] = self
            app.wsgi_app = WSGIMiddleware(app.wsgi_app, self._propagator)  # type: ignore[method-assign]

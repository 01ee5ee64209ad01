"""`propagate`: captures the headers of the request that a handler serves."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ._errors import ArgumentError
from ._native import ForwardHeaders, Propagator, default, is_request
from ._scope import inbound, wrap

if TYPE_CHECKING:
    import inspect
    from collections.abc import Callable, Iterable

F = TypeVar("F", bound="Callable[..., Any]")


@overload
def propagate(handler: F, /) -> F: ...


@overload
def propagate(
    *,
    propagator: Propagator | None = None,
    presets: str | Iterable[str] | None = None,
    add: str | Iterable[str] | None = None,
    remove: str | Iterable[str] | None = None,
) -> Callable[[F], F]: ...


def propagate(handler: Any = None, /, *, propagator: Propagator | None = None, **changes: Any) -> Any:
    """Capture the headers of the request that a handler serves, and hold them in scope while it runs.

    For functions and methods of every kind: plain, `async`, generators. The request is taken from the arguments, or
    is the current one of Flask, Quart or Bottle. Options change the process-wide policy for this handler::

        @app.route("/productpage")
        @onward.propagate(remove="cookie")
        def productpage(): ...

    What `remove` names need not be in that policy: the environment may have removed it already.

    It goes below the framework's own decorator, so that the framework registers the handler with the scope around
    it. A mistake in the options raises here, a handler without a request when it is called.
    """
    if changes:
        propagator = (propagator or default()).derive(**changes)
    if handler is None:
        return lambda function: _decorate(function, propagator)
    return _decorate(handler, propagator)


def _decorate(handler: Any, propagator: Propagator | None) -> Any:
    if isinstance(handler, (classmethod, staticmethod)):
        return type(handler)(_decorate(handler.__func__, propagator))
    if isinstance(handler, type) or not callable(handler):
        name = getattr(handler, "__name__", type(handler).__name__)
        message = f"`propagate` decorates functions and methods; in `{name}`, decorate what handles the request"
        raise ArgumentError(message, "invalid_argument", name)
    # A mistake in the environment shows when the service starts, not at its first request.
    chosen = default() if propagator is None else propagator
    asked_for_more = propagator is not None

    def headers_for(args: tuple[Any, ...], kwargs: dict[str, Any]) -> ForwardHeaders:
        request = _find(args, kwargs)
        if request is not None:
            return chosen.extract(request)
        if inbound() and not asked_for_more:
            return inbound()
        raise _no_request(handler)

    in_scope = wrap(handler, headers_for)
    # For frameworks that do not look at `__wrapped__`: Pyramid, and FastAPI for the names in annotations that are text.
    in_scope.__signature__ = _signature(handler)  # type: ignore[attr-defined]
    return in_scope


def _signature(handler: Any) -> inspect.Signature | None:
    import inspect  # noqa: PLC0415 - it would be half of what `import onward` costs

    try:
        return inspect.signature(handler, eval_str=True)
    except Exception:  # noqa: BLE001 - whatever an annotation is, or a name in it that only type checkers know
        try:
            return inspect.signature(handler)
        except (TypeError, ValueError):
            return None


# Where a framework keeps the request that a handler is not given.
_AMBIENT = (("flask", "request"), ("quart", "request"), ("quart", "websocket"), ("bottle", "request"))


def _find(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    for candidate in (*args, *kwargs.values()):
        if is_request(candidate):
            return candidate
    # Views made of classes keep the request: Tornado, aiohttp, Pyramid.
    held = getattr(args[0], "request", None) if args else None
    if held is not None and is_request(held):
        return held
    for module, name in _AMBIENT:
        ambient = getattr(sys.modules.get(module), name, None)
        if ambient is not None and is_request(ambient):
            return ambient
    return None


def _no_request(handler: Any) -> ArgumentError:
    name = getattr(handler, "__qualname__", repr(handler))
    message = (
        f"`{name}` was called without a request: `propagate` found none among its arguments, and no framework has a "
        "current one. Give the handler its request as an argument (FastAPI: `request: Request`), or use a middleware "
        "instead (`onward.ASGIMiddleware`, `onward.WSGIMiddleware`), or `with onward.scope(request):`"
    )
    return ArgumentError(message, "invalid_argument", name)

"""gRPC: `grpc.server` and `grpc.aio.server`."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import grpc

from onward import _current
from onward._hook import replace
from onward._native import ForwardHeaders, Propagator, default
from onward._scope import wrap

from .wsgi import Body

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Handler = grpc.RpcMethodHandler[Any, Any]
    Continue = Callable[[grpc.HandlerCallDetails], Handler | None]
    ContinueAsync = Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]]


class ServerInterceptor(grpc.ServerInterceptor):
    """Hold each call's forward headers in scope while its method runs, and takes and gives streams.

    ``grpc.server(pool, interceptors=[ServerInterceptor()])``. Interceptors behind it are in scope too: gRPC runs them
    and the method in one context, which it makes for the call.
    """

    def __init__(self, propagator: Propagator | None = None) -> None:
        self._extract = (propagator or default()).extract

    def intercept_service(
        self, continuation: Continue, handler_call_details: grpc.HandlerCallDetails
    ) -> Handler | None:
        _current.set(self._extract(handler_call_details))
        return continuation(handler_call_details)


class AioServerInterceptor(grpc.aio.ServerInterceptor):
    """The same for ``grpc.aio.server(interceptors=[AioServerInterceptor()])``."""

    def __init__(self, propagator: Propagator | None = None) -> None:
        self._extract = (propagator or default()).extract

    async def intercept_service(
        self, continuation: ContinueAsync, handler_call_details: grpc.HandlerCallDetails
    ) -> Handler | None:
        headers = self._extract(handler_call_details)
        _current.set(headers)
        handler = await continuation(handler_call_details)
        return None if handler is None else _carried(handler, headers)


_KINDS = {
    (False, False): ("unary_unary", grpc.unary_unary_rpc_method_handler),
    (False, True): ("unary_stream", grpc.unary_stream_rpc_method_handler),
    (True, False): ("stream_unary", grpc.stream_unary_rpc_method_handler),
    (True, True): ("stream_stream", grpc.stream_stream_rpc_method_handler),
}


def _carried(handler: Handler, headers: ForwardHeaders) -> Handler:
    """Take the scope along into a plain function, which grpc.aio runs in a thread, and its responses in others."""
    kind, make = _KINDS[handler.request_streaming, handler.response_streaming]
    method = getattr(handler, kind)
    if inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method):
        return handler
    in_scope = wrap(method, lambda _args, _kwargs: headers)

    def streaming(*args: Any) -> Body:
        return Body(headers, in_scope(*args))

    method = streaming if handler.response_streaming else in_scope
    return make(method, handler.request_deserializer, handler.response_serializer)


def patch(module: Any) -> Callable[[], None]:
    """Have every server that is made from now on intercepted, before whatever else intercepts it."""
    steps = (_intercepted(module, ServerInterceptor), _intercepted(module.aio, AioServerInterceptor))

    def undo() -> None:
        for step in steps:
            step()

    return undo


def _intercepted(place: Any, interceptor: Callable[[], Any]) -> Callable[[], None]:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        parameters = inspect.signature(original)

        def server(*args: Any, **kwargs: Any) -> Any:
            call = parameters.bind(*args, **kwargs)
            call.arguments["interceptors"] = [interceptor(), *(call.arguments.get("interceptors") or ())]
            return original(*call.args, **call.kwargs)

        return server

    return replace(place, "server", make)

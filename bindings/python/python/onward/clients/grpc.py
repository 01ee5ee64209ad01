"""`grpcio`: every call of a channel, unary and streaming, of `grpc` and of `grpc.aio`."""

from __future__ import annotations

import base64
import binascii
import functools
import importlib
import inspect
import logging
import re
import threading
from collections.abc import Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import grpc

from onward._errors import OnwardError
from onward._hook import replace
from onward._native import _grpc_authorities
from onward._scope import inbound, is_lost

from ._outbound import lost, unwrap, wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Pairs = tuple[tuple[str, str | bytes], ...]

_log = logging.getLogger("onward.grpc")
# Whether `instrument()` is in force: what it put into a channel lives as long as the channel.
_instrumented = threading.Event()
_KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


def to_metadata(headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> Pairs:
    """Give headers as gRPC takes them: ``stub.Get(request, metadata=to_metadata(get_forward_headers(context)))``.

    Values of `-bin` keys become the bytes that their base64 stands for. What gRPC refuses, which would be the end of
    the call, is left out, and noted in the log `onward.grpc` at level DEBUG: names with other characters than letters,
    digits, `_`, `-` and `.`, values that are not printable ASCII, and in `-bin` keys what is no base64.
    """
    pairs: Any = headers.items() if isinstance(headers, Mapping) else headers
    return tuple((name, piece) for name, value in pairs for piece in _allowed(name, value))


def _allowed(name: str, value: str) -> Iterator[str | bytes]:
    if re.fullmatch(r"[a-z0-9_.-]+", name) is None:
        _log.debug("`%s` stays behind: it is no name for gRPC", name)
    elif name.endswith("-bin"):
        # Repeated lines that HTTP has joined are separate values.
        for piece in value.split(","):
            text = piece.strip().rstrip("=")
            try:
                yield base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
            except (binascii.Error, ValueError):
                _log.debug("a value of `%s` stays behind: it is not base64", name)
    elif re.fullmatch(r"[ -~]*", value) is None:
        _log.debug("a value of `%s` stays behind: gRPC takes printable ASCII only", name)
    else:
        yield value


class _Forward:
    """What calls to a target get."""

    def __init__(self, target: str | bytes, is_on: Callable[[], bool] = lambda: True) -> None:
        self._authorities = _grpc_authorities(_text(target))
        self._is_on = is_on

    def _call(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        if is_lost() and self._is_on():
            with lost(self._authorities[0] + _text(details.method)):
                return continuation(details, request)
        return continuation(self._forwarding(details), request)

    async def _call_async(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        if is_lost() and self._is_on():
            with lost(self._authorities[0] + _text(details.method)):
                return await continuation(details, request)
        return await continuation(self._forwarding(details), request)

    def _forwarding(self, details: Any) -> Any:
        """Give the details of a call with what is to be added to its metadata."""
        captured = inbound()
        if not captured or not self._is_on():
            return details
        try:
            metadata = getattr(details, "metadata", None)
            lines: list[tuple[str, str | bytes]] = list(metadata or ())
            path = _text(details.method)
            # Of several addresses any may get the call: what may go to each of them.
            added = min(
                (captured._additions(authority + path, lines, [], True) for authority in self._authorities),  # noqa: FBT003, SLF001 - ours
                key=len,
            )
            if getattr(details, "credentials", None) is not None:
                # Nobody knows their headers before they are asked; they are the caller's own.
                own = {row["name"] for row in captured.explain().rows if row["class"] == "credential"}
                added = [line for line in added if line[0] not in own]
        except (OnwardError, TypeError, ValueError):
            # What is no metadata is for gRPC to refuse.
            return details
        lines += to_metadata(added)
        metadata = grpc.aio.Metadata(*lines) if isinstance(metadata, grpc.aio.Metadata) else tuple(lines)
        return details._replace(metadata=metadata) if hasattr(details, "_replace") else _Details(details, metadata)


class _Details(grpc.ClientCallDetails):
    """The details of a call, which another interceptor has made, with other metadata."""

    def __init__(self, details: grpc.ClientCallDetails, metadata: Any) -> None:
        self._details = details
        self.metadata = metadata

    def __getattr__(self, name: str) -> Any:
        return getattr(self._details, name)


def _text(name: str | bytes) -> str:
    """Read a target or a method, of which gRPC takes both."""
    return name.decode("latin-1") if isinstance(name, bytes) else name


class ClientInterceptor(
    _Forward,
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Add the current headers to every call of a channel to `target`, as far as they may go there.

    ``grpc.intercept_channel(channel, ClientInterceptor("ratings:50051"))``. gRPC does not tell interceptors where a
    channel leads; `target` is what the channel was made with. What a call has already wins.
    """

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return self._call(continuation, client_call_details, request)

    def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return self._call(continuation, client_call_details, request)

    def intercept_stream_unary(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return self._call(continuation, client_call_details, request_iterator)

    def intercept_stream_stream(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return self._call(continuation, client_call_details, request_iterator)


class _AioUnaryUnary(_Forward, grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await self._call_async(continuation, client_call_details, request)


class _AioUnaryStream(_Forward, grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await self._call_async(continuation, client_call_details, request)


class _AioStreamUnary(_Forward, grpc.aio.StreamUnaryClientInterceptor):
    async def intercept_stream_unary(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return await self._call_async(continuation, client_call_details, request_iterator)


class _AioStreamStream(_Forward, grpc.aio.StreamStreamClientInterceptor):
    async def intercept_stream_stream(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return await self._call_async(continuation, client_call_details, request_iterator)


def aio_interceptors(target: str | bytes) -> list[grpc.aio.ClientInterceptor]:
    """Give what `ClientInterceptor` is for `grpc.aio`, which takes one interceptor for each kind of call.

    ``grpc.aio.insecure_channel(target, interceptors=aio_interceptors(target))``
    """
    return _aio_interceptors(target)


def _aio_interceptors(target: str | bytes, *is_on: Callable[[], bool]) -> list[grpc.aio.ClientInterceptor]:
    kinds = (_AioUnaryUnary, _AioUnaryStream, _AioStreamUnary, _AioStreamStream)
    return [kind(target, *is_on) for kind in kinds]


def patch(module: Any) -> Callable[[], None]:
    """Wrap what a channel makes the calls of a stub with: below the functions that make channels, and who wraps those.

    Interceptors of `grpc.aio` are given to the functions.
    """
    channel = importlib.import_module("grpc._channel").Channel
    asynchronous = importlib.import_module("grpc.aio._channel")
    undo = unwrap(
        _instrumented.clear,
        wrap(channel, "__init__", _remember),
        *(wrap(channel, kind, functools.partial(_intercepted, kind)) for kind in _KINDS),
        *(
            replace(module.aio, name, functools.partial(_aio, inspect.signature(getattr(asynchronous, name))))
            for name in ("insecure_channel", "secure_channel")
        ),
    )
    _instrumented.set()
    return undo


def _remember(original: Callable[..., Any], channel: Any, target: str | bytes, *args: Any, **kwargs: Any) -> None:
    original(channel, target, *args, **kwargs)
    channel.onward = ClientInterceptor(target, _instrumented.is_set)


def _intercepted(kind: str, original: Callable[..., Any], channel: Any, *args: Any, **kwargs: Any) -> Any:
    make = functools.partial(original, channel)
    interceptor = vars(channel).get("onward")
    if interceptor is not None:
        # Of a channel, only this method is asked for.
        made: Any = SimpleNamespace(**{kind: make})
        make = getattr(grpc.intercept_channel(made, interceptor), kind)
    return make(*args, **kwargs)


def _aio(parameters: inspect.Signature, original: Callable[..., grpc.aio.Channel]) -> Callable[..., grpc.aio.Channel]:
    def channel(target: str | bytes, *args: Any, **kwargs: Any) -> grpc.aio.Channel:
        options = parameters.bind(target, *args, **kwargs).arguments
        # Behind the caller's own, so that what those set is there already.
        theirs = options.get("interceptors") or ()
        options["interceptors"] = [*theirs, *_aio_interceptors(target, _instrumented.is_set)]
        # By name: a tracer that was here first adds its own there.
        return original(options.pop("target"), **options)

    return channel

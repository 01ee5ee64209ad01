"""The scope: where the current request's forward headers live while its handler runs."""

from __future__ import annotations

import functools
from types import CoroutineType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from . import _current
from ._errors import ArgumentError
from ._native import ForwardHeaders, default

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
    from contextvars import Token
    from types import TracebackType

    HeadersFor = Callable[[tuple[Any, ...], dict[str, Any]], ForwardHeaders]

F = TypeVar("F")


def inbound() -> ForwardHeaders:
    """Return the forward headers of the request that is being handled, as they came in."""
    return _current.get()


def current() -> ForwardHeaders:
    """Return the forward headers of the request that is being handled; none outside a request.

    Beside a span of OpenTelemetry that is current and sampled, the trace headers among them have it as their parent.
    """
    return _current.get()._outgoing()  # noqa: SLF001 - ours


def is_lost() -> bool:
    """Tell whether this is outside of every scope, in a process that has had one before."""
    return _current.get() is _current.NOTHING and _current.is_used


def leave(token: Token[ForwardHeaders]) -> None:
    """End what `_current.set` began."""
    try:
        _current.reset(token)
    except ValueError:
        # A generator that is closed from another context: what it had set ended with its own.
        pass


class scope:  # noqa: N801 - reads as a statement: `with onward.scope(message):`
    """Hold forward headers in scope for a block of code.

    Takes what was captured before, or anything that headers can be read from::

        with onward.scope(message.headers):
            requests.post("http://ratings:9080/ratings/0")

    A mistake in the carrier raises when the scope is made. A scope can be entered again after it was left.
    """

    __slots__ = ("_headers", "_tokens")

    def __init__(self, headers: Any) -> None:
        self._headers = headers if isinstance(headers, ForwardHeaders) else default().extract(headers)
        self._tokens: list[Token[ForwardHeaders]] = []

    def __enter__(self) -> ForwardHeaders:
        self._tokens.append(_current.set(self._headers))
        return self._headers

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        leave(self._tokens.pop())


def carry(work: F) -> F:
    """Take the current scope along into a thread, a callback, a task of another context.

    `work` is a function of any kind, or a coroutine; what comes back is the same with the scope around it::

        executor.submit(onward.carry(fetch_ratings), product)

    Raises `ArgumentError` for what is neither.
    """
    headers = inbound()
    if isinstance(work, CoroutineType):
        return cast("F", _await_in(headers, work))
    if not callable(work):
        name = type(work).__name__
        message = f"`carry` takes a function or a coroutine, not `{name}`: give it what is to be called, not its result"
        raise ArgumentError(message, "invalid_argument", name)
    return cast("F", wrap(cast("Callable[..., Any]", work), lambda _args, _kwargs: headers))


def wrap(
    function: Callable[..., Any],
    headers_for: HeadersFor,
) -> Callable[..., Any]:
    """Run a function of any kind in the scope that `headers_for` gives for the arguments of a call."""
    return functools.wraps(function)(_wrapper(function)(function, headers_for))


def _wrapper(function: Callable[..., Any]) -> Callable[..., Callable[..., Any]]:
    import inspect  # noqa: PLC0415 - it would be half of what `import onward` costs

    # A callable object is of the kind that its `__call__` is.
    for candidate in (function, getattr(function, "__call__", None)):  # noqa: B004 - it is not asked whether it can be called
        if inspect.iscoroutinefunction(candidate):
            return _around_coroutine
        if inspect.isasyncgenfunction(candidate):
            return _around_async_generator
        if inspect.isgeneratorfunction(candidate):
            return _around_generator
    return _around_function


def _around_coroutine(function: Callable[..., Any], headers_for: HeadersFor) -> Callable[..., Any]:
    async def in_scope(*args: Any, **kwargs: Any) -> Any:
        token = _current.set(headers_for(args, kwargs))
        try:
            return await function(*args, **kwargs)
        finally:
            leave(token)

    return in_scope


def _around_async_generator(function: Callable[..., Any], headers_for: HeadersFor) -> Callable[..., Any]:
    # An asynchronous generator function too: grpc.aio asks a handler what it is. See `_steps`.
    async def in_scope(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        headers, generator = headers_for(args, kwargs), function(*args, **kwargs)
        step: Callable[[Any], Awaitable[Any]] = generator.asend
        sent: Any = None
        try:
            while True:
                token = _current.set(headers)
                try:
                    item = await step(sent)
                except StopAsyncIteration:
                    return
                finally:
                    leave(token)
                try:
                    sent, step = (yield item), generator.asend
                except GeneratorExit:
                    raise
                except BaseException as error:  # noqa: BLE001 - whatever it is, it is the generator's to handle
                    sent, step = error, generator.athrow
        finally:
            token = _current.set(headers)
            try:
                await generator.aclose()
            finally:
                leave(token)

    return in_scope


def _around_generator(function: Callable[..., Any], headers_for: HeadersFor) -> Callable[..., Any]:
    def in_scope(*args: Any, **kwargs: Any) -> Any:
        return _steps(headers_for(args, kwargs), function(*args, **kwargs))

    return in_scope


def _around_function(function: Callable[..., Any], headers_for: HeadersFor) -> Callable[..., Any]:
    def in_scope(*args: Any, **kwargs: Any) -> Any:
        headers = headers_for(args, kwargs)
        token = _current.set(headers)
        try:
            result = function(*args, **kwargs)
        finally:
            leave(token)
        # A plain function can hand out a coroutine, whose work is still to come.
        return _await_in(headers, result) if isinstance(result, CoroutineType) else result

    return in_scope


async def _await_in(headers: ForwardHeaders, work: Awaitable[Any]) -> Any:
    token = _current.set(headers)
    try:
        return await work
    finally:
        leave(token)


def _steps(headers: ForwardHeaders, generator: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """Run each step of a generator in scope, and what happens between its steps outside."""
    step: Callable[[Any], Any] = generator.send
    sent: Any = None
    try:
        while True:
            token = _current.set(headers)
            try:
                item = step(sent)
            except StopIteration as stop:
                return stop.value
            finally:
                leave(token)
            try:
                sent, step = (yield item), generator.send
            except GeneratorExit:
                raise
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is the generator's to handle
                sent, step = error, generator.throw
    finally:
        token = _current.set(headers)
        try:
            generator.close()
        finally:
            leave(token)


def _steps_async(headers: ForwardHeaders, generator: AsyncGenerator[Any, Any]) -> AsyncGenerator[Any, Any]:
    """Do the same for an asynchronous generator."""
    steps: AsyncGenerator[Any, Any] = _around_async_generator(lambda: generator, lambda _args, _kwargs: headers)()
    return steps

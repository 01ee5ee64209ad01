"""Celery: a task goes on with the request that has sent it.

``onward.instrument()`` covers Celery too; here it is by itself, once in the service and in the worker::

    import onward.messages.celery

    onward.messages.celery.install()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from celery import signals

from onward import _current
from onward._scope import leave

from . import extract, inject

if TYPE_CHECKING:
    from collections.abc import Callable

_UID = "onward"


def install(*, credentials: bool = False) -> None:
    """Let every task take the current headers along, and run in their scope.

    `credentials` is for a broker that only those read who may see them. Doing it again replaces what was said before.
    """
    uninstall()
    _connect(credentials=credentials)


def uninstall() -> None:
    """Undo `install`."""
    for signal in (signals.before_task_publish, signals.task_prerun, signals.task_postrun):
        signal.disconnect(dispatch_uid=_UID)
    vars(signals.before_task_publish).pop("_connect_signal", None)


def patch(_module: Any) -> Callable[[], None]:
    """Do what `install` does, unless it was called."""
    _connect(credentials=False)
    return uninstall


def _connect(*, credentials: bool) -> None:
    def publish(headers: dict[str, Any], **_: Any) -> None:
        inject(headers, credentials=credentials)

    signals.before_task_publish.connect(publish, weak=False, dispatch_uid=_UID)
    _stay_last(signals.before_task_publish)
    signals.task_prerun.connect(_enter, weak=False, dispatch_uid=_UID)
    signals.task_postrun.connect(_leave, weak=False, dispatch_uid=_UID)


def _stay_last(signal: Any) -> None:
    """Have receivers that are connected later called before ours: what they set wins, and a tracer's span is theirs."""
    connect = type(signal)._connect_signal  # noqa: SLF001 - what `connect` ends in, as a decorator too

    def connect_before(*args: Any) -> Any:
        connected = connect(signal, *args)
        with signal.lock:
            signal.receivers[:] = sorted(signal.receivers, key=lambda receiver: receiver[0][0] == _UID)
        return connected

    signal._connect_signal = connect_before  # noqa: SLF001 - as above


def _enter(task: Any, **_: Any) -> None:
    # An eager task is a call like any other, in the scope of its caller.
    if not task.request.is_eager:
        task.request.onward = _current.set(extract(task.request.headers))


def _leave(task: Any, **_: Any) -> None:
    token = vars(task.request).pop("onward", None)
    if token is not None:
        leave(token)

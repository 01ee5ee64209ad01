"""The ids of the current request and its trace on log lines: for `logging`, and for structlog."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from ._scope import inbound

if TYPE_CHECKING:
    from collections.abc import MutableMapping


class Filter(logging.Filter):
    """Give each record a `request_id` and a `trace_id`, for ``%(request_id)s`` in a format.

    It belongs on handlers: `logging` asks the filters of a logger only about what is logged to that very logger. Where
    there is no id the attribute is `default`, so that a format works outside a request too. What the caller gives in
    `extra` stays. In `logging.config.dictConfig`::

        "filters": {"onward": {"()": "onward.logs.Filter"}},
        "handlers": {"console": {"class": "logging.StreamHandler", "filters": ["onward"]}},
    """

    def __init__(self, default: str = "-") -> None:
        super().__init__()
        self._default = default

    def filter(self, record: logging.LogRecord) -> bool:
        """Complete the record; it is never held back."""
        headers = inbound()
        given = vars(record)
        given.setdefault("request_id", headers.request_id or self._default)
        given.setdefault("trace_id", headers.trace_id or self._default)
        return True


def add_ids(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Give each event of structlog `request_id` and `trace_id`, where there are such ids.

    A processor: ``structlog.configure(processors=[onward.logs.add_ids, ...])``. What the event has already stays.
    """
    headers = inbound()
    for name, value in (("request_id", headers.request_id), ("trace_id", headers.trace_id)):
        if value is not None:
            event.setdefault(name, value)
    return event

"""Messages: a request goes on in whoever reads what was written to a queue or a log.

A message is stored, and read by whoever subscribes: it takes trace and context headers, no credentials unless asked::

    producer.send("ratings", body, headers=messages.inject([]))     # Kafka: a list of (str, bytes)
    channel.basic_publish("", "ratings", body, messages.inject(pika.BasicProperties()))

    with onward.scope(messages.extract(record.headers)):            # whoever reads it
        requests.post("http://ratings:9080/ratings/0")

Text in a message stands for its UTF-8 bytes, as message libraries write it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from onward._native import default
from onward._scope import inbound

if TYPE_CHECKING:
    from onward._native import Explanation, ForwardHeaders, Propagator

__all__ = ["explain", "extract", "inject"]

M = TypeVar("M")


def inject(message: M, *, credentials: bool = False) -> M:
    """Write the current headers into a message, and give it back.

    `message` is a dict, a list of pairs, or what has one of them in `.headers`, which may be None: pika's properties. A
    dict gets text, and bytes where a value is no UTF-8; a list gets `(str, bytes)`, repeated lines one by one. What the
    producer has set wins, with its whole family. Outside a request nothing is written.

    `credentials` is for a queue that only those read who may see them.

    Raises `CarrierError` if headers cannot be written to `message`.
    """
    captured = inbound()
    if captured:
        captured._inject_message(message, credentials)  # noqa: SLF001 - ours
    return message


def extract(message: Any, *, propagator: Propagator | None = None) -> ForwardHeaders:
    """Capture the headers of a message, for `onward.scope`.

    `message` is a dict, a list or tuple of pairs, what has one of them in `.headers`, or None: so several libraries say
    that there are none.

    Raises `CarrierError` if headers cannot be read from `message`.
    """
    return (propagator or default())._extract_message(message)  # noqa: SLF001 - ours


def explain(message: Any = None, *, credentials: bool = False) -> Explanation:
    """Tell header by header what `inject` would do to `message`, and why."""
    return inbound()._explain_message(message, credentials)  # noqa: SLF001 - ours

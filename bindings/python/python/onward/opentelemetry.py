"""A propagator for OpenTelemetry, which carries what its other propagators do not know: `x-request-id` for one.

Listed last, it leaves to the others what is theirs::

    OTEL_PROPAGATORS=tracecontext,baggage,onward
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context, attach, detach, get_value, set_value
from opentelemetry.propagators.textmap import TextMapPropagator, default_getter, default_setter

from ._errors import OnwardError
from ._native import default
from ._scope import inbound
from .clients._outbound import as_bytes

if TYPE_CHECKING:
    from opentelemetry.propagators.textmap import CarrierT, Getter, Setter

    from ._native import ForwardHeaders

__all__ = ["OnwardPropagator"]

_KEY = "onward"
# What a propagator is given to write to does not say where it goes.
_ANYWHERE = ""


class OnwardPropagator(TextMapPropagator):
    """Carries the headers of the process-wide policy in OpenTelemetry's context.

    Where a request goes is not known here, so that only headers of the class `trace` are written: `x-request-id`, and
    every trace family that came in, but not `end-user`, `cookie` or `authorization`, for which there is
    `onward.instrument`. What the carrier has already stays, with its whole family; a carrier that cannot be read gets
    nothing.
    """

    def extract(
        self, carrier: CarrierT, context: Context | None = None, getter: Getter[CarrierT] = default_getter
    ) -> Context:
        """Capture the headers into the context."""
        context = Context() if context is None else context
        names = dict.fromkeys(name.lower() for name in getter.keys(carrier))
        lines = [(name, value) for name in names for value in getter.get(carrier, name) or ()]
        headers = default().extract(lines)
        return set_value(_KEY, headers, context) if headers else context

    def inject(
        self, carrier: CarrierT, context: Context | None = None, setter: Setter[CarrierT] = default_setter
    ) -> None:
        """Write those of the context, or else of the scope; without a context, those of the scope come first."""
        held: ForwardHeaders | None = get_value(_KEY, context)  # type: ignore[assignment]
        headers = held if held and context is not None else inbound() or held
        if not headers:
            return
        # The span that is asked for is the context's.
        token = None if context is None else attach(context)
        try:
            added = headers._additions(_ANYWHERE, _lines(carrier), [])  # noqa: SLF001 - ours
        except (OnwardError, TypeError, ValueError):
            return
        finally:
            if token is not None:
                detach(token)
        for name, value in added:
            setter.set(carrier, name, value)

    @property
    def fields(self) -> set[str]:
        """The names that `inject` may write, but for those under prefix rules."""
        every = [(name, "0") for name in default().names if not name.endswith("*")]
        written: dict[str, str] = {}
        self.inject(written, set_value(_KEY, default().extract(every), Context()))
        return set(written)


def _lines(carrier: Any) -> list[tuple[str, bytes]]:
    """Read what a carrier has: a mapping, or pairs."""
    pairs = carrier.items() if hasattr(carrier, "items") else carrier
    return [(name if isinstance(name, str) else name.decode("latin-1"), as_bytes(value)) for name, value in pairs]

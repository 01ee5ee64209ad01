//! `OpenTracing`'s `ot-tracer-*`: trace and span in hexadecimal, and `true` or `false`.

use super::{Id, id_up_to};
use crate::SpanContext;

/// The trace id, in up to 32 digits.
pub(crate) fn trace(digits: &[u8]) -> Option<Id<'_>> {
    id_up_to(32, digits)
}

/// Trace, span and decision. The trace has 64 bits, as the format's tracers have it, unless a longer one came in.
pub(crate) fn write(span: &SpanContext, came_in: Option<Id<'_>>) -> [String; 3] {
    let trace = if came_in.is_some_and(|id| id.text.len() > 16) {
        format!("{:032x}", span.trace_id)
    } else {
        format!("{:016x}", span.lower())
    };
    [trace, format!("{:016x}", span.span_id), "true".into()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tests::span;
    use proptest::prelude::*;

    #[test]
    fn a_trace_has_up_to_32_digits() {
        for digits in ["1", "463ac35c9f6413ad", "463AC35C9F6413AD", "80f198ee56343ba864fe8b2a57d3eff7"] {
            assert_eq!(trace(digits.as_bytes()).map(|id| id.text), Some(digits));
        }
        for (digits, why) in [
            ("", "nothing"),
            ("0000000000000000", "zero"),
            ("80f198ee56343ba864fe8b2a57d3eff70", "33 digits"),
            ("463ac35c9f6413ad,463ac35c9f6413ad", "two in one"),
            ("xyz", "no digits"),
        ] {
            assert_eq!(trace(digits.as_bytes()), None, "{why}");
        }
    }

    #[test]
    fn a_trace_is_as_long_as_it_came_in() {
        let span = SpanContext::new([0xcd; 16], [0xab; 8], 1);
        let written = |trace: &str| [trace.to_owned(), "abababababababab".into(), "true".into()];
        assert_eq!(write(&span, trace(b"463ac35c9f6413ad")), written("cdcdcdcdcdcdcdcd"));
        assert_eq!(write(&span, None), written("cdcdcdcdcdcdcdcd"));
        let long = trace(b"80f198ee56343ba864fe8b2a57d3eff7");
        assert_eq!(write(&span, long), written("cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"));
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(span in span(), bytes: Vec<u8>) {
            let [written, ..] = write(&span, trace(&bytes));
            prop_assume!(span.lower() != 0);
            prop_assert_eq!(trace(written.as_bytes()).map(|id| id.number), Some(span.lower().into()));
        }
    }
}

//! The binary context of `OpenCensus`, in bytes and as gRPC writes bytes on HTTP: in base64.
//!
//! Version 0, then fields, each behind its number: 0 is the trace (16 bytes), 1 the span (8), 2 the options (1).

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};

use super::from_base64;
use crate::SpanContext;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GrpcTrace {
    pub(crate) trace: u128,
    pub(crate) span: u64,
    /// Of which the first bit is the sampling decision.
    pub(crate) options: u8,
}

/// From base64, with padding or without it.
pub(crate) fn parse(value: &[u8]) -> Option<GrpcTrace> {
    from_bytes(&from_base64(value)?)
}

/// Fields come in order; one with an unknown number, and all behind it, is of a later format.
pub(crate) fn from_bytes(bytes: &[u8]) -> Option<GrpcTrace> {
    let (trace, rest) = bytes.strip_prefix(&[0, 0])?.split_first_chunk()?;
    let (span, rest) = rest.strip_prefix(&[1])?.split_first_chunk()?;
    let options = match rest {
        [2, options, ..] => *options,
        [2] => return None,
        _ => 0,
    };
    let (trace, span) = (u128::from_be_bytes(*trace), u64::from_be_bytes(*span));
    (trace != 0 && span != 0).then_some(GrpcTrace { trace, span, options })
}

pub(crate) fn to_bytes(span: &SpanContext) -> [u8; 29] {
    let mut bytes = [0; 29];
    bytes[2..18].copy_from_slice(&span.trace_id.to_be_bytes());
    bytes[18] = 1;
    bytes[19..27].copy_from_slice(&span.span_id.to_be_bytes());
    bytes[27..].copy_from_slice(&[2, 1]);
    bytes
}

/// In base64, with padding where what came in had it: gRPC writes none.
pub(crate) fn write(span: &SpanContext, came_in: Option<&[u8]>) -> String {
    let padded = came_in.is_some_and(|value| value.ends_with(b"="));
    let engine = if padded { BASE64_STANDARD } else { BASE64_STANDARD_NO_PAD };
    engine.encode(to_bytes(span))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tests::span;
    use proptest::prelude::*;

    /// The specification's example.
    const BYTES: [u8; 29] = [
        0, 0, 0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0, 0x0e, 0x47, 0x36, 1,
        0x34, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7, 2, 1,
    ];
    const TEXT: &str = "AABL+S81d7NNpqPOkp0ADkc2ATTwZ6oLqQK3AgE";
    const TRACE: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_000e_4736;
    const SPAN: u64 = 0x34f0_67aa_0ba9_02b7;

    #[test]
    fn the_specifications_example_is_read_and_written() {
        let expected = Some(GrpcTrace { trace: TRACE, span: SPAN, options: 1 });
        assert_eq!(from_bytes(&BYTES), expected);
        assert_eq!(parse(TEXT.as_bytes()), expected, "as gRPC writes it");
        assert_eq!(parse(format!("{TEXT}=").as_bytes()), expected, "with padding");
        let span = SpanContext::new(TRACE.to_be_bytes(), SPAN.to_be_bytes(), 1);
        assert_eq!(to_bytes(&span), BYTES);
        assert_eq!(write(&span, None), TEXT);
        assert_eq!(write(&span, Some(b"AAA")), TEXT);
        assert_eq!(write(&span, Some(b"AA==")), format!("{TEXT}="));
    }

    #[test]
    fn fields_of_later_formats_are_passed_over() {
        let expected = |options| Some(GrpcTrace { trace: TRACE, span: SPAN, options });
        assert_eq!(from_bytes(&[&BYTES[..], &[3, 7, 7]].concat()), expected(1), "behind the options");
        assert_eq!(from_bytes(&[&BYTES[..27], &[9, 7]].concat()), expected(0), "in place of the options");
        assert_eq!(from_bytes(&BYTES[..27]), expected(0), "no options");
    }

    #[test]
    fn what_is_not_well_formed_is_none() {
        let mut other = BYTES;
        other[0] = 1;
        assert_eq!(from_bytes(&other), None, "another version");
        let mut order = BYTES;
        order[1] = 1;
        assert_eq!(from_bytes(&order), None, "no trace first");
        for (length, why) in [
            (0, "nothing"),
            (1, "a version"),
            (17, "a short trace"),
            (18, "no span"),
            (26, "a short span"),
            (28, "no options behind their number"),
        ] {
            assert_eq!(from_bytes(&BYTES[..length]), None, "{why}");
        }
        assert_eq!(from_bytes(&[&[0; 18], &BYTES[18..]].concat()), None, "a trace of zeros");
        assert_eq!(from_bytes(&[&BYTES[..19], &[0; 8]].concat()), None, "a span of zeros");
        assert_eq!(parse(b"not base64!"), None, "no base64");
        assert_eq!(parse(&TEXT.as_bytes()[..TEXT.len() - 2]), None, "cut off");
        assert_eq!(parse(&BYTES), None, "bytes where text is to be");
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(span in span()) {
            let expected = GrpcTrace { trace: span.trace_id, span: span.span_id, options: 1 };
            prop_assert_eq!(parse(write(&span, None).as_bytes()), Some(expected));
            prop_assert_eq!(parse(write(&span, Some(b"=")).as_bytes()), Some(expected));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>, cut in 0..29_usize, at in 0..29_usize, byte: u8) {
            let _ = (parse(&bytes), from_bytes(&bytes), from_bytes(&BYTES[..cut]));
            let mut changed = BYTES;
            changed[at] = byte;
            let _ = from_bytes(&changed);
        }
    }
}

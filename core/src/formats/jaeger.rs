//! Jaeger's `TRACE:SPAN:PARENT:FLAGS`, hexadecimal, without leading zeros or with them.

use super::{Id, hexadecimal, id_up_to};
use crate::SpanContext;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Jaeger<'a> {
    pub(crate) trace: Id<'a>,
    pub(crate) span: Id<'a>,
    pub(crate) flags: u8,
}

/// Sampled, debug, and firehose: what the flags mean.
const FLAGS: u8 = 1 | 2 | 8;

pub(crate) fn parse(value: &[u8]) -> Option<Jaeger<'_>> {
    // Some clients encode the colons.
    let text = std::str::from_utf8(value).ok()?;
    let colons = |field: &'static str| move |text| str::split(text, field);
    let mut fields = text.split(':').flat_map(colons("%3A")).flat_map(colons("%3a")).map(str::as_bytes);
    let (trace, span) = (id_up_to(32, fields.next()?)?, id_up_to(16, fields.next()?)?);
    let (parent, flags) = (fields.next()?, fields.next()?);
    // Zero at the root, and ignored by everyone.
    hexadecimal(parent).filter(|_| parent.len() <= 16)?;
    let flags = u8::try_from(hexadecimal(flags).filter(|_| flags.len() <= 2)?).ok()?;
    fields.next().is_none().then_some(Jaeger { trace, span, flags })
}

/// With the debug flag that came in.
pub(crate) fn write(span: &SpanContext, came_in: Option<Jaeger<'_>>) -> String {
    let trace = span.trace_digits(came_in.map(|jaeger| jaeger.trace.text.len()));
    let flags = came_in.map_or(0, |jaeger| jaeger.flags) & FLAGS | SpanContext::SAMPLED;
    format!("{trace}:{:016x}:0:{flags:x}", span.span_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tests::span;
    use proptest::prelude::*;

    #[test]
    fn contexts_are_read() {
        for (value, trace, span, flags, why) in [
            (
                "80f198ee56343ba864fe8b2a57d3eff7:e457b5a2e4d86bd1:0:1",
                "80f198ee56343ba864fe8b2a57d3eff7",
                0xe457_b5a2_e4d8_6bd1,
                1,
                "128 bits",
            ),
            (
                "64fe8b2a57d3eff7:e457b5a2e4d86bd1:05e3ac9a4f6e3b90:0",
                "64fe8b2a57d3eff7",
                0xe457_b5a2_e4d8_6bd1,
                0,
                "64 bits and a parent",
            ),
            ("1:2:0:1", "1", 2, 1, "no leading zeros"),
            ("3F%3A2%3a0%3A03", "3F", 2, 3, "colons that are encoded, and capitals"),
            ("1:2:0:0b", "1", 2, 11, "every flag"),
        ] {
            let jaeger = parse(value.as_bytes()).map(|it| (it.trace.text, it.span.number, it.flags));
            assert_eq!(jaeger, Some((trace, span, flags)), "{why}");
        }
    }

    #[test]
    fn what_is_not_well_formed_is_none() {
        for (value, why) in [
            ("", "nothing"),
            ("1", "no span"),
            ("1:2", "no parent"),
            ("1:2:0", "no flags"),
            ("1:2:0:1:1", "five fields"),
            (":2:0:1", "no trace"),
            ("0:2:0:1", "a trace of zeros"),
            ("1:0:0:1", "a span of zeros"),
            ("123456789012345678901234567890123:2:0:1", "33 digits"),
            ("1:12345678901234567:0:1", "a span of 17 digits"),
            ("1:2::1", "an empty parent"),
            ("1:2:0:", "empty flags"),
            ("1:2:0:001", "flags of three digits"),
            ("1:2:0:+1", "a sign"),
            ("1-2-0-1", "other separators"),
            ("1%3B2%3B0%3B1", "another letter that is encoded"),
        ] {
            assert_eq!(parse(value.as_bytes()), None, "{why}");
        }
        assert_eq!(parse(b"\xff:2:0:1"), None, "no text");
    }

    #[test]
    fn the_width_and_the_debug_flag_are_those_that_came_in() {
        let short = SpanContext::new(0x3f_u128.to_be_bytes(), [0xab; 8], 1);
        let long = SpanContext::new([0xcd; 16], [0xab; 8], 1);
        let came_in = parse(b"3f:2:0:3");
        assert_eq!(write(&short, came_in), "000000000000003f:abababababababab:0:3");
        assert_eq!(write(&long, came_in), "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd:abababababababab:0:3");
        assert_eq!(write(&short, None), "0000000000000000000000000000003f:abababababababab:0:1");
        assert_eq!(write(&long, parse(b"1:2:0:f4")), "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd:abababababababab:0:1");
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(span in span()) {
            let text = write(&span, None);
            let read = parse(text.as_bytes()).unwrap();
            prop_assert_eq!((read.trace.number, read.span.number), (span.trace_id, span.span_id.into()));
            prop_assert_eq!(read.flags, 1);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>, text in "[0-9a-f%:A]{0,60}") {
            let _ = parse(&bytes);
            let _ = parse(text.as_bytes());
        }
    }
}

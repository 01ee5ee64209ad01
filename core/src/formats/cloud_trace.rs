//! Google Cloud Trace: `TRACE/SPAN;o=OPTIONS`, the span decimal; all but the trace may be absent.

use super::{Id, id};
use crate::SpanContext;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CloudTrace<'a> {
    pub(crate) trace: Id<'a>,
    /// 0 at the root.
    pub(crate) span: Option<u64>,
    /// Of which the first bit is the sampling decision.
    pub(crate) options: Option<u8>,
}

pub(crate) fn parse(value: &[u8]) -> Option<CloudTrace<'_>> {
    let text = std::str::from_utf8(value).ok()?;
    let (ids, options) = cut(text, ";o=");
    let (trace, span) = cut(ids, "/");
    Some(CloudTrace {
        trace: id(trace.as_bytes(), &[32])?,
        span: span.map(|span| number(span, 20)).transpose().ok()?,
        options: options.map(|options| number(options, 1)).transpose().ok()?,
    })
}

fn cut<'a>(text: &'a str, at: &str) -> (&'a str, Option<&'a str>) {
    text.split_once(at).map_or((text, None), |(head, tail)| (head, Some(tail)))
}

fn number<N: std::str::FromStr>(text: &str, digits: usize) -> Result<N, ()> {
    let sound = (1..=digits).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if sound { text.parse().map_err(drop) } else { Err(()) }
}

pub(crate) fn write(span: &SpanContext) -> String {
    format!("{:032x}/{};o=1", span.trace_id, span.span_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tests::span;
    use proptest::prelude::*;

    const TRACE: &str = "105445aa7843bc8bf206b12000100000";

    #[test]
    fn contexts_are_read() {
        for (value, span, options) in [
            (format!("{TRACE}/1;o=1"), Some(1), Some(1)),
            (format!("{TRACE}/18446744073709551615;o=0"), Some(u64::MAX), Some(0)),
            (format!("{TRACE}/0;o=3"), Some(0), Some(3)),
            (format!("{TRACE}/1"), Some(1), None),
            (format!("{TRACE};o=1"), None, Some(1)),
            (TRACE.into(), None, None),
        ] {
            let read = parse(value.as_bytes()).map(|it| (it.trace.text, it.span, it.options));
            assert_eq!(read, Some((TRACE, span, options)), "{value}");
        }
    }

    #[test]
    fn what_is_not_well_formed_is_none() {
        for (value, why) in [
            (String::new(), "nothing"),
            ("105445aa/1;o=1".into(), "a short trace"),
            (format!("{}/1;o=1", "0".repeat(32)), "a trace of zeros"),
            (format!("{TRACE}/"), "an empty span"),
            (format!("{TRACE}/18446744073709551616"), "a span of 65 bits"),
            (format!("{TRACE}/000000000000000000001"), "a span of 21 digits"),
            (format!("{TRACE}/ff;o=1"), "a span in hexadecimal"),
            (format!("{TRACE}/+1"), "a sign"),
            (format!("{TRACE}/1;o="), "empty options"),
            (format!("{TRACE}/1;o=true"), "options that are no number"),
            (format!("{TRACE}/1;o=1;o=1"), "options twice"),
            (format!("{TRACE}/1;p=1"), "another field"),
            (format!("{TRACE}/1/2"), "two spans"),
        ] {
            assert_eq!(parse(value.as_bytes()), None, "{why}");
        }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(span in span()) {
            let text = write(&span);
            let read = parse(text.as_bytes()).unwrap();
            prop_assert_eq!((read.trace.number, read.span, read.options), (span.trace_id, Some(span.span_id), Some(1)));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>, text in "[0-9a-f]{30,33}/?[0-9]{0,21}(;o=)?.{0,2}") {
            let _ = parse(&bytes);
            let _ = parse(text.as_bytes());
        }
    }
}

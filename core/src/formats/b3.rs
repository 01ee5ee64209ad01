//! Zipkin's B3, in one header (`TRACE-SPAN-SAMPLING-PARENT`) and in several.

use super::{Id, id};
use crate::SpanContext;

/// A context, of which the ids or the decision may be absent, but not both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct B3<'a> {
    pub(crate) ids: Option<Ids<'a>>,
    pub(crate) sampling: Sampling,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ids<'a> {
    pub(crate) trace: Id<'a>,
    pub(crate) span: Id<'a>,
    pub(crate) parent: Option<Id<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sampling {
    /// The receiver decides.
    Deferred,
    Denied,
    Accepted,
    /// Accepted, and no sampler may say otherwise.
    Debug,
}

/// The trace id as it stands in either form, in 64 or 128 bits.
pub(crate) fn trace(digits: &[u8]) -> Option<Id<'_>> {
    id(digits, &[16, 32])
}

pub(crate) fn single(value: &[u8]) -> Option<B3<'_>> {
    if let Some(sampling) = decision(value) {
        return Some(B3 { ids: None, sampling });
    }
    let mut fields = value.split(|byte| *byte == b'-');
    let (trace, span) = (trace(fields.next()?)?, id(fields.next()?, &[16])?);
    let sampling = fields.next().map_or(Some(Sampling::Deferred), decision)?;
    let parent = match fields.next() {
        Some(parent) => Some(id(parent, &[16])?),
        None => None,
    };
    fields.next().is_none().then_some(B3 { ids: Some(Ids { trace, span, parent }), sampling })
}

/// The values of the five headers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Multi<'a> {
    pub(crate) trace: Option<&'a [u8]>,
    pub(crate) span: Option<&'a [u8]>,
    pub(crate) parent: Option<&'a [u8]>,
    pub(crate) sampled: Option<&'a [u8]>,
    pub(crate) flags: Option<&'a [u8]>,
}

pub(crate) fn multi(values: Multi<'_>) -> Option<B3<'_>> {
    let ids = match (values.trace, values.span, values.parent) {
        (None, None, None) => None,
        (Some(trace_id), Some(span), parent) => Some(Ids {
            trace: trace(trace_id)?,
            span: id(span, &[16])?,
            parent: parent.map(|parent| id(parent, &[16]).ok_or(())).transpose().ok()?,
        }),
        _ => return None,
    };
    let sampled = match values.sampled {
        None => Sampling::Deferred,
        Some(b"1" | b"true") => Sampling::Accepted,
        Some(b"0" | b"false") => Sampling::Denied,
        Some(_) => return None,
    };
    // Any other flags mean nothing.
    let sampling = if values.flags == Some(b"1") { Sampling::Debug } else { sampled };
    (ids.is_some() || sampling != Sampling::Deferred).then_some(B3 { ids, sampling })
}

/// One header. No parent stands in it: the span's own is not known here.
pub(crate) fn write_single(span: &SpanContext, came_in: Option<B3<'_>>) -> String {
    let decision = if is_debug(came_in) { "d" } else { "1" };
    format!("{}-{:016x}-{decision}", digits(span, came_in), span.span_id)
}

/// The headers of the trace and the span.
pub(crate) fn write_multi(span: &SpanContext, came_in: Option<B3<'_>>) -> (String, String) {
    (digits(span, came_in), format!("{:016x}", span.span_id))
}

pub(crate) fn is_debug(came_in: Option<B3<'_>>) -> bool {
    came_in.is_some_and(|b3| b3.sampling == Sampling::Debug)
}

fn digits(span: &SpanContext, came_in: Option<B3<'_>>) -> String {
    span.trace_digits(came_in.and_then(|b3| b3.ids).map(|ids| ids.trace.text.len()))
}

fn decision(text: &[u8]) -> Option<Sampling> {
    match text {
        b"0" => Some(Sampling::Denied),
        b"1" => Some(Sampling::Accepted),
        b"d" => Some(Sampling::Debug),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Sampling::{Accepted, Debug, Deferred, Denied};
    use super::*;
    use crate::formats::tests::span;
    use proptest::prelude::*;

    const LONG: &str = "80f198ee56343ba864fe8b2a57d3eff7";
    const SHORT: &str = "64fe8b2a57d3eff7";
    const SPAN: &str = "e457b5a2e4d86bd1";
    const PARENT: &str = "05e3ac9a4f6e3b90";

    /// The ids and the decision; an id that is absent is empty.
    fn told(b3: B3<'_>) -> ([&str; 3], Sampling) {
        let ids = b3.ids.map(|ids| [ids.trace.text, ids.span.text, ids.parent.map_or("", |id| id.text)]);
        (ids.unwrap_or_default(), b3.sampling)
    }

    #[test]
    fn one_header_is_read() {
        for (value, ids, sampling) in [
            (format!("{LONG}-{SPAN}-1-{PARENT}"), [LONG, SPAN, PARENT], Accepted),
            (format!("{SHORT}-{SPAN}-0"), [SHORT, SPAN, ""], Denied),
            (format!("{SHORT}-{SPAN}"), [SHORT, SPAN, ""], Deferred),
            (format!("{LONG}-{SPAN}-d"), [LONG, SPAN, ""], Debug),
            ("0".into(), ["", "", ""], Denied),
            ("1".into(), ["", "", ""], Accepted),
            ("d".into(), ["", "", ""], Debug),
        ] {
            assert_eq!(single(value.as_bytes()).map(told), Some((ids, sampling)), "{value}");
        }
        let capitals = format!("{}-{SPAN}-1", LONG.to_uppercase());
        assert_eq!(
            single(capitals.as_bytes()).and_then(|b3| b3.ids).unwrap().trace.text,
            LONG.to_uppercase()
        );
    }

    #[test]
    fn one_header_that_is_not_well_formed_is_none() {
        for (value, why) in [
            (String::new(), "nothing"),
            (LONG.into(), "no span"),
            (format!("{LONG}-"), "an empty span"),
            (format!("{}-{SPAN}-1", &LONG[1..]), "31 digits"),
            (format!("{LONG}-{}-1", &SPAN[1..]), "15 digits"),
            (format!("{LONG}-{SPAN}-"), "an empty decision"),
            (format!("{LONG}-{SPAN}-x"), "a decision that is none"),
            (format!("{LONG}-{SPAN}-true"), "a decision of the other form"),
            (format!("{LONG}-{SPAN}-{PARENT}"), "a parent without a decision"),
            (format!("{LONG}-{SPAN}-1-"), "an empty parent"),
            (format!("{LONG}-{SPAN}-1-{PARENT}-1"), "five fields"),
            (format!("{}-{SPAN}-1", "0".repeat(16)), "a trace of zeros"),
            (format!("{LONG}-{}-1", "0".repeat(16)), "a span of zeros"),
            (format!("{LONG}-{SPAN}-1,{LONG}-{SPAN}-1"), "two in one"),
            ("D".into(), "a capital"),
        ] {
            assert_eq!(single(value.as_bytes()), None, "{why}");
        }
    }

    /// Absent values are empty.
    fn several<'a>([trace, span, parent, sampled, flags]: [&'a str; 5]) -> Multi<'a> {
        let some = |value: &'a str| (!value.is_empty()).then_some(value.as_bytes());
        Multi {
            trace: some(trace),
            span: some(span),
            parent: some(parent),
            sampled: some(sampled),
            flags: some(flags),
        }
    }

    #[test]
    fn several_headers_are_read() {
        for (values, ids, sampling) in [
            ([LONG, SPAN, PARENT, "1", ""], [LONG, SPAN, PARENT], Accepted),
            ([SHORT, SPAN, "", "0", ""], [SHORT, SPAN, ""], Denied),
            ([SHORT, SPAN, "", "", ""], [SHORT, SPAN, ""], Deferred),
            ([SHORT, SPAN, "", "true", ""], [SHORT, SPAN, ""], Accepted),
            ([SHORT, SPAN, "", "false", ""], [SHORT, SPAN, ""], Denied),
            ([SHORT, SPAN, "", "", "1"], [SHORT, SPAN, ""], Debug),
            ([SHORT, SPAN, "", "1", "1"], [SHORT, SPAN, ""], Debug),
            ([SHORT, SPAN, "", "1", "0"], [SHORT, SPAN, ""], Accepted),
            ([SHORT, SPAN, "", "1", "true"], [SHORT, SPAN, ""], Accepted),
            (["", "", "", "0", ""], ["", "", ""], Denied),
            (["", "", "", "", "1"], ["", "", ""], Debug),
        ] {
            assert_eq!(multi(several(values)).map(told), Some((ids, sampling)), "{values:?}");
        }
    }

    #[test]
    fn several_headers_that_are_not_well_formed_are_none() {
        for (values, why) in [
            (["", "", "", "", ""], "nothing"),
            (["", "", "", "", "0"], "neither ids nor a decision"),
            ([LONG, "", "", "1", ""], "no span"),
            (["", SPAN, "", "1", ""], "no trace"),
            (["", "", PARENT, "1", ""], "a parent alone"),
            ([LONG, SPAN, "-", "1", ""], "a parent that is none"),
            ([&LONG[1..], SPAN, "", "1", ""], "31 digits"),
            ([LONG, LONG, "", "1", ""], "a span of 32 digits"),
            ([LONG, SPAN, "", "d", ""], "a decision of the other form"),
            ([LONG, SPAN, "", "True", ""], "a capital"),
            ([LONG, SPAN, "", "1,1", ""], "two in one"),
        ] {
            assert_eq!(multi(several(values)), None, "{why}");
        }
    }

    #[test]
    fn an_id_of_64_bits_stays_one_where_it_is_the_spans() {
        let short = single(b"64fe8b2a57d3eff7-e457b5a2e4d86bd1-1");
        let long = single(b"000000000000000064fe8b2a57d3eff7-e457b5a2e4d86bd1-d");
        let id = 0x64fe_8b2a_57d3_eff7_u128;
        let span = SpanContext::new(id.to_be_bytes(), [0xab; 8], 1);
        assert_eq!(write_single(&span, short), "64fe8b2a57d3eff7-abababababababab-1");
        assert_eq!(write_single(&span, long), "000000000000000064fe8b2a57d3eff7-abababababababab-d");
        assert_eq!(write_single(&span, None), "000000000000000064fe8b2a57d3eff7-abababababababab-1");
        let span = SpanContext::new([0xcd; 16], [0xab; 8], 1);
        assert_eq!(write_single(&span, short), "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd-abababababababab-1");
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(span in span()) {
            let one = write_single(&span, None);
            let (trace, span_id) = write_multi(&span, None);
            let several = Multi { trace: Some(trace.as_bytes()), span: Some(span_id.as_bytes()), sampled: Some(b"1"), ..Multi::default() };
            for read in [single(one.as_bytes()), multi(several)] {
                let B3 { ids: Some(ids), sampling: Accepted } = read.unwrap() else { panic!("{read:?}") };
                prop_assert_eq!((ids.trace.number, ids.span.number), (span.trace_id, span.span_id.into()));
            }
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>, text in "[0-9a-fA-F-]{0,40}(-[01d])?", three: [Option<Vec<u8>>; 3]) {
            let _ = single(&bytes);
            let _ = single(text.as_bytes());
            let [trace, span, sampled] = &three;
            let _ = multi(Multi { trace: trace.as_deref(), span: span.as_deref(), sampled: sampled.as_deref(), ..Multi::default() });
        }
    }
}

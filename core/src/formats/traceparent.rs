//! W3C's `traceparent`, levels 1 and 2: `VERSION-TRACE-SPAN-FLAGS`.

use super::{Id, hexadecimal, id, is_lower};
use crate::SpanContext;

/// What is known of any version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TraceParent<'a> {
    pub(crate) trace: Id<'a>,
    pub(crate) span: Id<'a>,
    pub(crate) flags: u8,
}

/// How long version 00 is; what a later one has beyond is behind a hyphen.
const LENGTH: usize = 55;

pub(crate) fn parse(value: &[u8]) -> Option<TraceParent<'_>> {
    let (known, rest) = value.split_at_checked(LENGTH)?;
    let fields: [&[u8]; 4] = known.split(|b| *b == b'-').collect::<Vec<_>>().try_into().ok()?;
    let [version, trace, span, flags] = fields;
    if version.len() != 2 || flags.len() != 2 || !is_lower(known) {
        return None;
    }
    let sound = match hexadecimal(version)? {
        0x00 => rest.is_empty(),
        0xff => false,
        _ => rest.is_empty() || rest.starts_with(b"-"),
    };
    let flags = u8::try_from(hexadecimal(flags)?).ok()?;
    sound.then_some(TraceParent { trace: id(trace, &[32])?, span: id(span, &[16])?, flags })
}

/// In version 00, whatever came in. The flags that it does not know are 0.
pub(crate) fn write(span: &SpanContext, flags: u8) -> String {
    let known = flags & (SpanContext::SAMPLED | SpanContext::RANDOM);
    format!("00-{:032x}-{:016x}-{known:02x}", span.trace_id, span.span_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tests::span;
    use proptest::prelude::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    #[test]
    fn every_version_but_the_forbidden_one_is_read() {
        for (value, flags, why) in [
            (format!("00-{TRACE}-{SPAN}-01"), 1, "level 1"),
            (format!("00-{TRACE}-{SPAN}-03"), 3, "level 2: a random id"),
            (format!("00-{TRACE}-{SPAN}-ff"), 255, "flags that nobody knows yet"),
            (format!("01-{TRACE}-{SPAN}-00"), 0, "a later version as long as this one"),
            (format!("cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like"), 1, "a longer one"),
            (format!("fe-{TRACE}-{SPAN}-01-"), 1, "the last version"),
        ] {
            let parent = parse(value.as_bytes()).map(|it| (it.trace.text, it.span.text, it.flags));
            assert_eq!(parent, Some((TRACE, SPAN, flags)), "{why}");
        }
    }

    #[test]
    fn what_is_not_well_formed_is_none() {
        let zero = "0".repeat(32);
        for (value, why) in [
            (format!("ff-{TRACE}-{SPAN}-01"), "version ff"),
            (format!("00-{TRACE}-{SPAN}-01-x"), "version 00 has four fields"),
            (format!("00-{TRACE}-{SPAN}-01-"), "version 00 is 55 long"),
            (format!("cc-{TRACE}-{SPAN}-01.x"), "no hyphen behind what is known"),
            (format!("0-{TRACE}-{SPAN}-001"), "a short version"),
            (format!("0x-{TRACE}-{SPAN}-01"), "a version that is no number"),
            (format!("00-{}-{SPAN}-01", TRACE.to_uppercase()), "upper case"),
            (format!("0A-{TRACE}-{SPAN}-01"), "a version in upper case"),
            (format!("00-{zero}-{SPAN}-01"), "a trace of zeros"),
            (format!("00-{TRACE}-{}-01", &zero[..16]), "a span of zeros"),
            (format!("00-{TRACE}-{SPAN}-1"), "short flags"),
            (format!("00-{TRACE}-{SPAN}-0x"), "flags that are no number"),
            (format!("00-{TRACE}-{SPAN}-.1"), "flags with a dot"),
            (format!("00_{TRACE}_{SPAN}_01"), "other separators"),
            (format!("00-{TRACE}{SPAN}-01-1"), "fields of other lengths"),
            (format!(" 00-{TRACE}-{SPAN}-01"), "a blank"),
            (format!("00-{TRACE}"), "half of it"),
            (String::new(), "nothing"),
        ] {
            assert_eq!(parse(value.as_bytes()), None, "{why}");
        }
    }

    #[test]
    fn what_is_written_has_only_the_flags_that_are_known() {
        let span = SpanContext::new([0xab; 16], [0xcd; 8], 0xff);
        assert_eq!(write(&span, 0xff), "00-abababababababababababababababab-cdcdcdcdcdcdcdcd-03");
        assert_eq!(write(&span, 1), "00-abababababababababababababababab-cdcdcdcdcdcdcdcd-01");
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(span in span(), flags in 0..=3u8) {
            let text = write(&span, flags);
            let read = parse(text.as_bytes()).expect("well-formed");
            prop_assert_eq!((read.trace.number, read.span.number), (span.trace_id, span.span_id.into()));
            prop_assert_eq!(read.flags, flags);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>, text in "[0-9a-f]{2}-[0-9a-fA-F]{32}-[0-9a-f]{16}-[0-9a-f]{2}.{0,3}") {
            let _ = parse(&bytes);
            let _ = parse(text.as_bytes());
        }
    }
}

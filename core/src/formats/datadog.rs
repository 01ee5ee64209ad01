//! Datadog: decimal ids, a sampling priority, and the trace's tags; and Datadog's member of `tracestate`.

use std::fmt::Write;

use crate::SpanContext;

/// What the tags may be long; Datadog's own readers drop longer ones.
const MAX_TAGS: usize = 512;
/// What a member of `tracestate` may be long.
const MAX_MEMBER: usize = 256;
/// The tag with the upper half of the trace id.
const UPPER: &str = "_dd.p.tid";

/// Datadog's key in `tracestate`.
pub(crate) const KEY: &str = "dd";

/// An id of 64 bits, as text and as a number. Zero is none.
pub(crate) fn id(value: &[u8]) -> Option<(&str, u64)> {
    let text = std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?;
    Some((text, text.parse().ok().filter(|id| *id != 0)?))
}

/// -2 to 2; what is above 0 keeps the trace.
pub(crate) fn priority(value: &[u8]) -> Option<i8> {
    match value {
        b"-2" => Some(-2),
        b"-1" => Some(-1),
        b"0" => Some(0),
        b"1" => Some(1),
        b"2" => Some(2),
        _ => None,
    }
}

/// `KEY=VALUE` separated by commas, the values with equals signs or without.
fn tags(value: &[u8]) -> Option<Vec<(&str, &str)>> {
    let text = std::str::from_utf8(value).ok().filter(|text| text.len() <= MAX_TAGS)?;
    text.split(',').map(tag).collect()
}

fn tag(text: &str) -> Option<(&str, &str)> {
    let printable = |text: &str, from| !text.is_empty() && text.bytes().all(|b| (from..=b'~').contains(&b));
    text.split_once('=').filter(|(key, value)| printable(key, b'!') && printable(value, b' '))
}

/// The tags that came in, with the upper half of the span's trace id; none where there are none.
pub(crate) fn write_tags(span: &SpanContext, came_in: Option<&[u8]>) -> Option<String> {
    let upper = (span.upper() != 0).then(|| format!("{UPPER}={:016x}", span.upper()));
    let others = came_in.and_then(tags).unwrap_or_default();
    let others = others.iter().filter(|(key, _)| *key != UPPER).map(|(key, value)| format!("{key}={value}"));
    let all = others.chain(upper.clone()).collect::<Vec<_>>().join(",");
    // The id matters more than what does not fit beside it.
    let fitting = if all.len() <= MAX_TAGS { all } else { upper.unwrap_or_default() };
    (!fitting.is_empty()).then_some(fitting)
}

/// The priority in Datadog's member of `tracestate`.
pub(crate) fn member_priority(member: &str) -> Option<i8> {
    priority(member.split(';').find_map(|entry| entry.strip_prefix("s:"))?.as_bytes())
}

/// Datadog's member of `tracestate` with that priority, and the span as the last one seen. Entries that make it too
/// long are left out.
pub(crate) fn write_member(span: &SpanContext, priority: i8, came_in: &str) -> String {
    let mut member = format!("s:{priority};p:{:016x}", span.span_id);
    for entry in came_in.split(';') {
        // The upper half of the trace id stands in `traceparent`.
        let written = ["s", "p", "t.tid"];
        let other = entry.split_once(':').is_some_and(|(key, _)| !written.contains(&key));
        if other && member.len() + 1 + entry.len() <= MAX_MEMBER {
            let _ = write!(member, ";{entry}");
        }
    }
    member
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tests::span;
    use proptest::prelude::*;

    #[test]
    fn an_id_is_a_number_of_64_bits() {
        assert_eq!(id(b"18446744073709551615"), Some(("18446744073709551615", u64::MAX)));
        assert_eq!(id(b"007"), Some(("007", 7)));
        for (value, why) in [
            (&b"18446744073709551616"[..], "65 bits"),
            (b"0", "zero"),
            (b"", "nothing"),
            (b"-1", "below zero"),
            (b"+1", "a sign"),
            (b"1 ", "a blank"),
            (b"ff", "hexadecimal"),
            (b"\xff", "no text"),
        ] {
            assert_eq!(id(value), None, "{why}");
        }
    }

    #[test]
    fn a_priority_is_one_of_five() {
        for (value, priority_of) in [("-2", -2), ("-1", -1), ("0", 0), ("1", 1), ("2", 2)] {
            assert_eq!(priority(value.as_bytes()), Some(priority_of));
        }
        for value in ["", "3", "-3", "+1", "01", "1.0", "true", "1,1"] {
            assert_eq!(priority(value.as_bytes()), None, "{value}");
        }
    }

    #[test]
    fn tags_are_keys_and_values() {
        assert_eq!(
            tags(b"_dd.p.dm=-4,_dd.p.tid=640cfd8d00000000"),
            Some(vec![("_dd.p.dm", "-4"), (UPPER, "640cfd8d00000000")])
        );
        assert_eq!(
            tags(b"_dd.p.usr.id=a b=="),
            Some(vec![("_dd.p.usr.id", "a b==")]),
            "a blank and equals signs in a value"
        );
        let longest = format!("_dd.p.x={}", "x".repeat(504));
        assert_eq!(longest.len(), 512);
        assert!(tags(longest.as_bytes()).is_some());
        for (value, why) in [
            (String::new(), "nothing"),
            ("_dd.p.dm".into(), "no value"),
            ("_dd.p.dm=".into(), "an empty value"),
            ("=-4".into(), "an empty key"),
            ("_dd.p.dm=-4,".into(), "an empty tag"),
            ("_dd.p. dm=-4".into(), "a blank in a key"),
            ("_dd.p.dm=\u{e9}".into(), "a letter outside ASCII"),
            ("_dd.p.dm=\t".into(), "a tab"),
            (longest + "x", "513 letters"),
        ] {
            assert_eq!(tags(value.as_bytes()), None, "{why}");
        }
    }

    const LONG: u128 = 0x640c_fd8d_0000_0000_64fe_8b2a_57d3_eff7;

    #[test]
    fn the_upper_half_of_the_trace_id_is_a_tag() {
        let long = SpanContext::new(LONG.to_be_bytes(), [0xab; 8], 1);
        let short = SpanContext::new(1_u128.to_be_bytes(), [0xab; 8], 1);
        for (span, came_in, expected, why) in [
            (&long, None, Some("_dd.p.tid=640cfd8d00000000"), "none came in"),
            (&long, Some("_dd.p.dm=-4"), Some("_dd.p.dm=-4,_dd.p.tid=640cfd8d00000000"), "beside another"),
            (
                &long,
                Some("_dd.p.tid=1,_dd.p.dm=-4"),
                Some("_dd.p.dm=-4,_dd.p.tid=640cfd8d00000000"),
                "another half",
            ),
            (&long, Some("broken"), Some("_dd.p.tid=640cfd8d00000000"), "what came in is none"),
            (
                &short,
                Some("_dd.p.tid=640cfd8d00000000,_dd.p.dm=-4"),
                Some("_dd.p.dm=-4"),
                "the id has no upper half",
            ),
            (&short, Some("_dd.p.tid=640cfd8d00000000"), None, "nothing is left"),
            (&short, None, None, "nothing is to be said"),
        ] {
            assert_eq!(write_tags(span, came_in.map(str::as_bytes)).as_deref(), expected, "{why}");
        }
        let full = format!("_dd.p.x={}", "x".repeat(500));
        assert_eq!(write_tags(&long, Some(full.as_bytes())).as_deref(), Some("_dd.p.tid=640cfd8d00000000"));
        assert_eq!(write_tags(&short, Some(full.as_bytes())), Some(full));
    }

    #[test]
    fn the_member_of_tracestate_names_the_span_and_the_priority() {
        let span = SpanContext::new(LONG.to_be_bytes(), [0xab; 8], 1);
        for (came_in, priority, expected) in [
            ("s:2;o:rum;p:00f067aa0ba902b7;t.dm:-4", 2, "s:2;p:abababababababab;o:rum;t.dm:-4"),
            ("s:-1;t.tid:640cfd8d00000000", 1, "s:1;p:abababababababab"),
            ("t.usr.id:a:b~~;;broken", 1, "s:1;p:abababababababab;t.usr.id:a:b~~"),
        ] {
            assert_eq!(write_member(&span, priority, came_in), expected);
        }
        let long = format!("t.x:{};t.y:1", "x".repeat(240));
        assert_eq!(
            write_member(&span, 1, &long),
            "s:1;p:abababababababab;t.y:1",
            "a member has at most 256 letters"
        );
        assert_eq!(member_priority("p:1;s:2"), Some(2));
        assert_eq!(member_priority("p:1;s:x"), None);
        assert_eq!(member_priority("t.s:2"), None);
    }

    proptest! {
        #[test]
        fn whatever_comes_in_what_is_written_is_well_formed(span in span(), bytes: Vec<u8>, text in "(_dd.p.[a-c]{1,3}=[ -~]{1,90},?){0,8}") {
            let _ = (id(&bytes), priority(&bytes));
            for came_in in [text.as_bytes(), &bytes] {
                if let Some(written) = write_tags(&span, Some(came_in)) {
                    let read = tags(written.as_bytes()).expect("well-formed");
                    let upper = read.iter().find(|(key, _)| *key == UPPER).map(|(_, value)| u64::from_str_radix(value, 16));
                    prop_assert_eq!(upper.unwrap_or(Ok(0)), Ok(span.upper()));
                }
            }
            prop_assert!(write_member(&span, 1, &text).len() <= MAX_MEMBER);
        }
    }
}

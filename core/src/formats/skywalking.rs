//! `SkyWalking`'s `sw8`, which only its tracers write: of its eight fields the trace id is read, for log lines.

use super::from_base64;

/// Headers are shorter.
const MAX_LENGTH: usize = 2048;

/// `SAMPLE-TRACE-SEGMENT-SPAN-SERVICE-INSTANCE-ENDPOINT-PEER`, in base64 where they are text.
pub(crate) fn trace(value: &[u8]) -> Option<String> {
    let fields: smallvec::SmallVec<[&[u8]; 8]> = value.split(|byte| *byte == b'-').collect();
    let [b"0" | b"1", trace, _, span, _, _, _, _] = fields[..] else { return None };
    let number = !span.is_empty() && span.iter().all(u8::is_ascii_digit);
    let trace = String::from_utf8(from_base64(trace)?).ok()?;
    (number && value.len() < MAX_LENGTH && !trace.is_empty()).then_some(trace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_trace_is_read() {
        let value = b"1-ZmY5ZjA4MzQtNTU0YS00OGNl-c2Vn-3-c3Zj-aW5z-L2E=-cGVlcg==";
        assert_eq!(trace(value).as_deref(), Some("ff9f0834-554a-48ce"));
        assert_eq!(trace(b"0-YQ==-YQ==-0-YQ==-YQ==-YQ==-YQ==").as_deref(), Some("a"), "not sampled");
    }

    #[test]
    fn what_is_not_well_formed_is_none() {
        for (value, why) in [
            ("1-ZmY5-c2Vn-3".into(), "four fields"),
            ("1-YQ==-YQ==-0-YQ==-YQ==-YQ==-YQ==-YQ==".into(), "nine fields"),
            ("2-YQ==-YQ==-0-YQ==-YQ==-YQ==-YQ==".into(), "a sample flag that is none"),
            ("1--YQ==-0-YQ==-YQ==-YQ==-YQ==".into(), "an empty trace"),
            ("1-/w==-YQ==-0-YQ==-YQ==-YQ==-YQ==".into(), "a trace that is no text"),
            ("1-Y!==-YQ==-0-YQ==-YQ==-YQ==-YQ==".into(), "a trace that is no base64"),
            ("1-YQ==-YQ==-x-YQ==-YQ==-YQ==-YQ==".into(), "a span that is no number"),
            (format!("1-{}-YQ==-0-YQ==-YQ==-YQ==-YQ==", "YWFh".repeat(512)), "2 KiB"),
        ] {
            assert_eq!(trace(str::as_bytes(&value)), None, "{why}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>, text in "[01](-[A-Za-z0-9+/=]{0,9}){0,9}") {
            let _ = trace(&bytes);
            let _ = trace(text.as_bytes());
        }
    }
}

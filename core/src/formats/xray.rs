//! AWS X-Ray: `Root=1-TIME-RANDOM;Parent=SPAN;Sampled=DECISION`, in any order, among fields of others.

use super::{Id, hexadecimal, id};
use crate::SpanContext;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct XRay<'a> {
    /// The trace's id as X-Ray spells it: `1-TIME-RANDOM`.
    pub(crate) root: Option<&'a str>,
    pub(crate) parent: Option<Id<'a>>,
    pub(crate) sampled: Option<Sampled>,
    /// What load balancers and functions add, and what users do, in order.
    pub(crate) others: Vec<&'a str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sampled {
    No,
    Yes,
    /// The receiver is asked to decide.
    Asked,
}

impl XRay<'_> {
    /// The trace's id as a number.
    pub(crate) fn trace(&self) -> Option<u128> {
        let digits: Vec<u8> = self.root?[2..].bytes().filter(|byte| *byte != b'-').collect();
        hexadecimal(&digits)
    }
}

pub(crate) fn parse(value: &[u8]) -> Option<XRay<'_>> {
    let mut xray = XRay::default();
    let text = std::str::from_utf8(value).ok()?;
    for field in
        text.split(';').map(|field| field.trim_matches([' ', '\t'])).filter(|field| !field.is_empty())
    {
        let (key, value) = field.split_once('=').filter(|(key, _)| !key.is_empty())?;
        let twice = match key {
            "Root" => xray.root.replace(root(value)?).is_some(),
            "Parent" => xray.parent.replace(id(value.as_bytes(), &[16])?).is_some(),
            "Sampled" => xray.sampled.replace(sampled(value)?).is_some(),
            _ => {
                xray.others.push(field);
                false
            }
        };
        if twice {
            return None;
        }
    }
    Some(xray)
}

/// Version 1, then the id in two parts.
fn root(text: &str) -> Option<&str> {
    let (time, random) = text.strip_prefix("1-")?.split_once('-')?;
    let digits = |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_hexdigit());
    let zero = text[2..].bytes().all(|b| matches!(b, b'0' | b'-'));
    (digits(time, 8) && digits(random, 24) && !zero).then_some(text)
}

fn sampled(text: &str) -> Option<Sampled> {
    match text {
        "0" => Some(Sampled::No),
        "1" => Some(Sampled::Yes),
        "?" => Some(Sampled::Asked),
        _ => None,
    }
}

/// With the fields of others that came in.
pub(crate) fn write(span: &SpanContext, came_in: Option<&XRay<'_>>) -> String {
    let trace = format!("{:032x}", span.trace_id);
    let (time, random) = trace.split_at(8);
    let own = format!("Root=1-{time}-{random};Parent={:016x};Sampled=1", span.span_id);
    let others = came_in.map_or(&[][..], |xray| &xray.others);
    [&[own.as_str()], others].concat().join(";")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tests::span;
    use proptest::prelude::*;

    const ROOT: &str = "1-5759e988-bd862e3fe1be46a994272793";
    const PARENT: &str = "53995c3f42cd8ad8";

    #[test]
    fn contexts_are_read_in_any_order() {
        for (value, parent, sampled, others) in [
            (format!("Root={ROOT};Parent={PARENT};Sampled=1"), PARENT, Some(Sampled::Yes), vec![]),
            (format!("Sampled=0;Parent={PARENT};Root={ROOT}"), PARENT, Some(Sampled::No), vec![]),
            (format!("Root={ROOT};Sampled=?"), "", Some(Sampled::Asked), vec![]),
            (format!("Root={ROOT}"), "", None, vec![]),
            (format!(" Root={ROOT} ; \tParent={PARENT};"), PARENT, None, vec![]),
            (
                format!(
                    "Self=1-67891234-12456789abcdef012345678;Root={ROOT};Lineage=a87bd80c:0|68fd508a:5;App=a=b;Sampled=1"
                ),
                "",
                Some(Sampled::Yes),
                vec!["Self=1-67891234-12456789abcdef012345678", "Lineage=a87bd80c:0|68fd508a:5", "App=a=b"],
            ),
        ] {
            let xray = parse(value.as_bytes()).unwrap();
            assert_eq!((xray.root, xray.sampled), (Some(ROOT), sampled), "{value}");
            assert_eq!((xray.parent.map_or("", |id| id.text), xray.others), (parent, others), "{value}");
        }
        assert_eq!(parse(b"Self=x").unwrap().root, None, "no root");
    }

    #[test]
    fn what_is_not_well_formed_is_none() {
        for (value, why) in [
            ("Root=1-5759e988-bd86;Sampled=1".into(), "a short id"),
            ("Root=2-5759e988-bd862e3fe1be46a994272793".into(), "another version"),
            ("Root=1-5759e98g-bd862e3fe1be46a994272793".into(), "no digit"),
            ("Root=1-00000000-000000000000000000000000".into(), "zero"),
            (format!("Root={ROOT};Root={ROOT}"), "two roots"),
            (format!("Root={ROOT};Parent=53995c3f"), "a short parent"),
            (format!("Root={ROOT};Parent=0000000000000000"), "a parent of zeros"),
            (format!("Root={ROOT};Sampled=true"), "a decision that is none"),
            (format!("Root={ROOT};Sampled=1;Sampled=0"), "two decisions"),
            (format!("Root={ROOT};App"), "a field without a value"),
            (format!("Root={ROOT};=1"), "a field without a name"),
            (format!("Root={ROOT},Sampled=1"), "other separators"),
        ] {
            assert_eq!(parse(value.as_bytes()), None, "{why}");
        }
        assert_eq!(parse(b"Root=\xff"), None, "no text");
    }

    #[test]
    fn the_fields_of_others_stay() {
        let span =
            SpanContext::new(0x5759_e988_bd86_2e3f_e1be_46a9_9427_2793_u128.to_be_bytes(), [0xab; 8], 1);
        let came_in = parse(b"Self=1-2;Root=1-11111111-222222222222222222222222;Lineage=a:1;Sampled=0");
        let expected =
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=abababababababab;Sampled=1;Self=1-2;Lineage=a:1";
        assert_eq!(write(&span, came_in.as_ref()), expected);
        assert_eq!(write(&span, None), &expected[..expected.len() - ";Self=1-2;Lineage=a:1".len()]);
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(span in span(), bytes: Vec<u8>, text in "([A-C]{1,3}=[ -~]{0,9};?){0,4}") {
            for came_in in [text.as_bytes(), &bytes].map(parse) {
                let written = write(&span, came_in.as_ref());
                let read = parse(written.as_bytes()).unwrap();
                prop_assert_eq!(read.root.map(|root| root[2..].replace('-', "")), Some(format!("{:032x}", span.trace_id)));
                prop_assert_eq!(read.parent.map(|id| id.number), Some(span.span_id.into()));
                prop_assert_eq!(read.others, came_in.map(|xray| xray.others).unwrap_or_default());
            }
        }
    }
}

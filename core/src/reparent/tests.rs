//! Whatever came in, and whichever span is the parent.

use super::*;
use crate::formats::tests::span;
use crate::formats::{b3, cloud_trace, datadog, grpc_trace, jaeger, ot_tracer, traceparent, xray};
use crate::{DropReason, Propagator, catalogue};
use proptest::prelude::*;

fn propagator() -> Propagator {
    let presets = ["istio", "jaeger", "lightstep", "stackdriver", "xray"];
    Propagator::builder().presets(presets).add("x-tenant-*").build().expect("a policy")
}

/// Header lines with names of the formats, some of them well-formed.
fn inbound() -> impl Strategy<Value = Vec<(&'static str, Vec<u8>)>> {
    let names = catalogue::CATALOGUE.iter().map(|header| header.name).filter(|name| !name.ends_with('*'));
    let name = prop::sample::select(names.chain(["x-tenant-a", "uberctx-a"]).collect::<Vec<_>>());
    let good = prop::sample::select(vec![
        "00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-03",
        "a=1,dd=s:2;p:1",
        "80f198ee56343ba864fe8b2a57d3eff7",
        "64fe8b2a57d3eff7",
        "1",
        "d",
        "64fe8b2a57d3eff7-e457b5a2e4d86bd1-d",
        "3f:2:0:3",
        "_dd.p.dm=-4,_dd.p.tid=1",
        "Root=1-80f198ee-56343ba864fe8b2a57d3eff7;App=a",
        "AACA8ZjuVjQ7qGT+iypX0+/3AeRXtaLk2GvRAgA=",
    ]);
    let value = prop_oneof![
        3 => good.prop_map(|value| value.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..60),
    ];
    prop::collection::vec((name, value), 0..20)
}

/// Every format, all of one trace.
const WELL_FORMED: &[(&str, &str)] = &[
    ("traceparent", "00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01"),
    ("tracestate", "a=1,dd=s:2;p:1"),
    ("x-b3-traceid", "64fe8b2a57d3eff7"),
    ("x-b3-spanid", "e457b5a2e4d86bd1"),
    ("x-b3-parentspanid", "05e3ac9a4f6e3b90"),
    ("x-b3-sampled", "0"),
    ("b3", "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1"),
    ("uber-trace-id", "80f198ee56343ba864fe8b2a57d3eff7:2:0:3"),
    ("x-datadog-trace-id", "7277407061855694839"),
    ("x-datadog-parent-id", "2"),
    ("x-datadog-sampling-priority", "-1"),
    ("x-datadog-tags", "_dd.p.tid=80f198ee56343ba8"),
    ("x-amzn-trace-id", "Root=1-80f198ee-56343ba864fe8b2a57d3eff7;Parent=e457b5a2e4d86bd1;Sampled=0"),
    ("x-cloud-trace-context", "80f198ee56343ba864fe8b2a57d3eff7/2;o=1"),
    ("grpc-trace-bin", "AACA8ZjuVjQ7qGT+iypX0+/3AeRXtaLk2GvRAgA="),
    ("ot-tracer-traceid", "64fe8b2a57d3eff7"),
    ("ot-tracer-spanid", "2"),
    ("ot-tracer-sampled", "false"),
];

/// What each header of a format says of the trace and of the parent, as far as it says it.
fn told(headers: &ForwardHeaders) -> Vec<(&str, Option<u128>, Option<u64>)> {
    let hex = |value: &[u8]| crate::formats::hexadecimal(value);
    let low = |number: u128| u64::try_from(number).ok();
    let read = |name: &str, value: &[u8]| -> Option<(Option<u128>, Option<u64>)> {
        Some(match name {
            "traceparent" => {
                let it = traceparent::parse(value)?;
                (Some(it.trace.number), low(it.span.number))
            }
            "b3" => {
                let it = b3::single(value)?.ids?;
                (Some(it.trace.number), low(it.span.number))
            }
            "x-b3-traceid" => (Some(b3::trace(value)?.number), None),
            "x-b3-spanid" | "ot-tracer-spanid" => (None, low(hex(value)?)),
            "uber-trace-id" => {
                let it = jaeger::parse(value)?;
                (Some(it.trace.number), low(it.span.number))
            }
            "x-datadog-trace-id" => (Some(datadog::id(value)?.1.into()), None),
            "ot-tracer-traceid" => (Some(ot_tracer::trace(value)?.number), None),
            "x-datadog-parent-id" => (None, Some(datadog::id(value)?.1)),
            "x-amzn-trace-id" => {
                let it = xray::parse(value)?;
                (
                    it.root.and_then(|root| hex(root[2..].replace('-', "").as_bytes())),
                    it.parent.and_then(|id| low(id.number)),
                )
            }
            "x-cloud-trace-context" => {
                let it = cloud_trace::parse(value)?;
                (Some(it.trace.number), it.span)
            }
            "grpc-trace-bin" => {
                let it = grpc_trace::parse(value)?;
                (Some(it.trace), Some(it.span))
            }
            _ => return None,
        })
    };
    headers.iter().filter_map(|(name, value)| read(name, value).map(|(t, s)| (name, t, s))).collect()
}

/// The lines of a format's members.
fn lines<'a>(headers: &'a ForwardHeaders, format: &formats::Format) -> Vec<(&'a str, &'a [u8])> {
    let is_member = |name: &str| format.members.iter().any(|header| header.name == name);
    headers.iter().filter(|(name, _)| is_member(name)).collect()
}

/// Any span, or one of the trace that the well-formed headers are of.
fn any_span() -> impl Strategy<Value = SpanContext> {
    let ours = 0x80f1_98ee_5634_3ba8_64fe_8b2a_57d3_eff7_u128;
    prop_oneof![
        span(),
        (1..=u64::MAX).prop_map(move |id| SpanContext::new(
            ours.to_be_bytes(),
            id.to_be_bytes(),
            SpanContext::SAMPLED
        )),
    ]
}

proptest! {
    #[test]
    fn whatever_came_in_all_headers_of_the_spans_trace_name_the_span(inbound in inbound(), span in any_span()) {
        let before = propagator().extract(&inbound);
        let after = before.with_parent(&span);
        let (said, says) = (told(&before), told(&after));
        for format in formats::ALL {
            let is_member = |name: &str| format.members.iter().any(|header| header.name == name);
            let other_trace = said
                .iter()
                .any(|(name, trace, _)| is_member(name) && trace.is_some_and(|trace| !span.is_of(trace)));
            if other_trace && lines(&before, format) == lines(&after, format) {
                continue;
            }
            for (name, trace, parent) in says.iter().filter(|(name, ..)| is_member(name)) {
                prop_assert!(trace.is_none_or(|trace| span.is_of(trace)), "{name}: {trace:?}");
                prop_assert_eq!(parent.unwrap_or(span.span_id), span.span_id, "{}", name);
            }
            prop_assert_eq!(lines(&before, format).is_empty(), lines(&after, format).is_empty());
            for header in format.members {
                prop_assert!(after.lines_of(header).count() <= 1, "{} twice", header.name);
            }
        }
        let untouched = |headers: &ForwardHeaders| -> Vec<(String, Vec<u8>)> {
            let is_member = |name: &str| {
                formats::ALL.iter().any(|format| format.members.iter().any(|header| header.name == name))
            };
            headers.iter().filter(|(name, _)| !is_member(name)).map(|(name, value)| (name.into(), value.into())).collect()
        };
        prop_assert_eq!(untouched(&before), untouched(&after));
        for (_, value) in after.iter() {
            prop_assert!(value.iter().all(|&byte| byte == b'\t' || (byte >= b' ' && byte != 0x7F)));
        }
        prop_assert_eq!(before.dropped().collect::<Vec<_>>(), after.dropped().collect::<Vec<_>>());
        prop_assert_eq!(before.dropped_count(), after.dropped_count());
    }

    #[test]
    fn a_span_of_another_trace_changes_no_well_formed_header(id in 1..=u64::MAX) {
        let headers = propagator().extract(WELL_FORMED);
        let span = SpanContext::new([0xab; 16], id.to_be_bytes(), SpanContext::SAMPLED);
        let after = headers.with_parent(&span);
        prop_assert_eq!(after.iter().collect::<Vec<_>>(), headers.iter().collect::<Vec<_>>());
    }

    #[test]
    fn a_second_span_takes_the_place_of_the_first(inbound in inbound(), first in any_span(), second: u64) {
        let second = SpanContext { span_id: second.max(1), ..first.clone() };
        let once = propagator().extract(&inbound).with_parent(&second);
        let twice = propagator().extract(&inbound).with_parent(&first).with_parent(&second);
        prop_assert_eq!(told(&once), told(&twice));
    }

    #[test]
    fn all_carriers_get_the_same(inbound in inbound(), span in span()) {
        let headers = propagator().extract(&inbound).with_parent(&span);
        let (mut pairs, mut map) = (Vec::<(String, Vec<u8>)>::new(), http::HeaderMap::new());
        headers.inject(&mut pairs);
        headers.inject(&mut map);
        let map: Vec<_> = map.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
        prop_assert_eq!(map, pairs);
    }
}

#[test]
fn a_span_that_nobody_reports_changes_nothing() {
    let headers = propagator().extract(&[("b3", "0"), ("jwt", "a\nb")]);
    for span in [
        SpanContext::new([1; 16], [1; 8], SpanContext::RANDOM),
        SpanContext::new([0; 16], [1; 8], SpanContext::SAMPLED),
        SpanContext::new([1; 16], [0; 8], SpanContext::SAMPLED),
    ] {
        assert_eq!(headers.with_parent(&span).block(), headers.block(), "{span:?}");
    }
    assert!(ForwardHeaders::default().with_parent(&SpanContext::new([1; 16], [1; 8], 1)).is_empty());
}

#[test]
fn a_secret_stays_marked_as_one() {
    let mut inbound = http::HeaderMap::new();
    let mut value = http::HeaderValue::from_static("80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1");
    value.set_sensitive(true);
    inbound.insert("b3", value);
    let mut outbound = http::HeaderMap::new();
    let span = SpanContext::new(0x80f1_98ee_5634_3ba8_64fe_8b2a_57d3_eff7_u128.to_be_bytes(), [1; 8], 1);
    propagator().extract(&inbound).with_parent(&span).inject(&mut outbound);
    assert_eq!(outbound["b3"], "80f198ee56343ba864fe8b2a57d3eff7-0101010101010101-1");
    assert!(outbound["b3"].is_sensitive());
}

#[test]
fn drops_beyond_those_that_are_recorded_stay_counted() {
    let inbound = vec![("x-tenant-a", "\n"); 100];
    let headers = propagator().extract(&[inbound, vec![("b3", "0")]].concat());
    let after = headers.with_parent(&SpanContext::new([1; 16], [1; 8], 1));
    assert_eq!((after.dropped().count(), after.dropped_count()), (64, 100));
    assert!(
        after.dropped().all(|(name, reason)| name == "x-tenant-a" && reason == DropReason::ForbiddenByte)
    );
}

#[test]
fn every_member_is_known_to_the_catalogue_as_a_header_of_traces() {
    for header in formats::ALL.iter().flat_map(|format| format.members) {
        assert_eq!(header.class, catalogue::Class::Trace, "{}", header.name);
    }
}

//! Whatever came in, and whichever span is the parent.

use super::*;
use crate::formats::tests::span;
use crate::{DropReason, Propagator};
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
            "x-datadog-parent-id" => (None, Some(datadog::id(value)?.1)),
            "x-amzn-trace-id" => {
                let it = xray::parse(value)?;
                (hex(it.root?[2..].replace('-', "").as_bytes()), low(it.parent?.number))
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

proptest! {
    #[test]
    fn whatever_came_in_no_two_headers_contradict_each_other(inbound in inbound(), span in span()) {
        let before = propagator().extract(&inbound);
        let after = before.with_parent(&span);
        for (name, trace, parent) in told(&after) {
            prop_assert_eq!(trace.unwrap_or(span.trace_id), span.trace_id, "{}", name);
            prop_assert_eq!(parent.unwrap_or(span.span_id), span.span_id, "{}", name);
        }
        let untouched = |headers: &ForwardHeaders| -> Vec<(String, Vec<u8>)> {
            let is_member = |name: &str| {
                FORMATS.iter().any(|format| format.members.iter().any(|header| header.name == name))
            };
            headers.iter().filter(|(name, _)| !is_member(name)).map(|(name, value)| (name.into(), value.into())).collect()
        };
        prop_assert_eq!(untouched(&before), untouched(&after));
        for format in FORMATS {
            let has = |headers: &ForwardHeaders| {
                headers.iter().any(|(name, _)| format.members.iter().any(|header| header.name == name))
            };
            prop_assert_eq!(has(&before), has(&after), "{}", format.members[0].name);
            for header in format.members {
                prop_assert!(after.lines_of(header).count() <= 1, "{} twice", header.name);
            }
        }
        for (_, value) in after.iter() {
            prop_assert!(value.iter().all(|&byte| byte == b'\t' || (byte >= b' ' && byte != 0x7F)));
        }
        prop_assert_eq!(before.dropped().collect::<Vec<_>>(), after.dropped().collect::<Vec<_>>());
        prop_assert_eq!(before.dropped_count(), after.dropped_count());
    }

    #[test]
    fn a_second_span_takes_the_place_of_the_first(inbound in inbound(), first in span(), second in span()) {
        let headers = propagator().extract(&inbound).with_parent(&first).with_parent(&second);
        for (name, trace, parent) in told(&headers) {
            prop_assert_eq!(trace.unwrap_or(second.trace_id), second.trace_id, "{}", name);
            prop_assert_eq!(parent.unwrap_or(second.span_id), second.span_id, "{}", name);
        }
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
    propagator().extract(&inbound).with_parent(&SpanContext::new([1; 16], [1; 8], 1)).inject(&mut outbound);
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
    for header in FORMATS.iter().flat_map(|format| format.members) {
        assert_eq!(header.class, catalogue::Class::Trace, "{}", header.name);
    }
}

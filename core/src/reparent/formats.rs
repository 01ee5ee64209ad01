//! The formats that can name a span as the parent, and how each does.

use crate::catalogue::{self, Header};
use crate::formats::b3::B3;
use crate::formats::jaeger::Jaeger;
use crate::formats::traceparent::TraceParent;
use crate::formats::tracestate::TraceState;
use crate::formats::xray::XRay;
use crate::formats::{Id, b3, cloud_trace, datadog, grpc_trace, jaeger, ot_tracer, traceparent, xray};
use crate::{ForwardHeaders, SpanContext};

/// The headers of one format that name the parent, and how they are written anew.
pub(super) struct Format {
    pub(super) members: &'static [&'static Header],
    /// The trace that came in; none where it is not well-formed, or a decision alone.
    pub(super) trace: fn(&ForwardHeaders) -> Option<u128>,
    pub(super) write: fn(&ForwardHeaders, &SpanContext) -> Vec<Written>,
}

/// A header, and what it holds now.
pub(super) type Written = (&'static Header, String);

/// Every format that is understood. What is not here goes on as it came in.
pub(super) const ALL: &[Format] = &[
    Format {
        members: &[&catalogue::TRACEPARENT, &catalogue::TRACESTATE],
        trace: |headers| Some(traceparent(headers)?.trace.number),
        write: w3c,
    },
    Format {
        members: &[
            &catalogue::X_B3_TRACEID,
            &catalogue::X_B3_SPANID,
            &catalogue::X_B3_PARENTSPANID,
            &catalogue::X_B3_SAMPLED,
            &catalogue::X_B3_FLAGS,
        ],
        trace: |headers| Some(b3_multi(headers)?.ids?.trace.number),
        write: write_b3_multi,
    },
    Format {
        members: &[&catalogue::B3],
        trace: |headers| Some(b3_single(headers)?.ids?.trace.number),
        write: |headers, span| vec![(&catalogue::B3, b3::write_single(span, b3_single(headers)))],
    },
    Format {
        members: &[&catalogue::UBER_TRACE_ID],
        trace: |headers| Some(jaeger(headers)?.trace.number),
        write: |headers, span| vec![(&catalogue::UBER_TRACE_ID, jaeger::write(span, jaeger(headers)))],
    },
    Format {
        members: &[
            &catalogue::X_DATADOG_TRACE_ID,
            &catalogue::X_DATADOG_PARENT_ID,
            &catalogue::X_DATADOG_SAMPLING_PRIORITY,
            &catalogue::X_DATADOG_TAGS,
        ],
        trace: |headers| Some(datadog_trace(headers)?.into()),
        write: write_datadog,
    },
    Format {
        members: &[&catalogue::X_AMZN_TRACE_ID],
        trace: |headers| xray(headers)?.trace(),
        write: |headers, span| vec![(&catalogue::X_AMZN_TRACE_ID, xray::write(span, xray(headers).as_ref()))],
    },
    Format {
        members: &[&catalogue::X_CLOUD_TRACE_CONTEXT],
        trace: |headers| {
            Some(cloud_trace::parse(headers.only(&catalogue::X_CLOUD_TRACE_CONTEXT)?)?.trace.number)
        },
        write: |_, span| vec![(&catalogue::X_CLOUD_TRACE_CONTEXT, cloud_trace::write(span))],
    },
    Format {
        members: &[&catalogue::GRPC_TRACE_BIN],
        trace: |headers| Some(grpc_trace::parse(headers.only(&catalogue::GRPC_TRACE_BIN)?)?.trace),
        write: |headers, span| {
            vec![(
                &catalogue::GRPC_TRACE_BIN,
                grpc_trace::write(span, headers.only(&catalogue::GRPC_TRACE_BIN)),
            )]
        },
    },
    Format {
        members: &[
            &catalogue::OT_TRACER_TRACEID,
            &catalogue::OT_TRACER_SPANID,
            &catalogue::OT_TRACER_SAMPLED,
        ],
        trace: |headers| Some(ot_tracer(headers)?.number),
        write: write_ot_tracer,
    },
];

/// What only their own tracers can write.
pub(super) const OPAQUE: [&Header; 2] = [&catalogue::X_OT_SPAN_CONTEXT, &catalogue::SW8];

fn traceparent(headers: &ForwardHeaders) -> Option<TraceParent<'_>> {
    traceparent::parse(headers.only(&catalogue::TRACEPARENT)?)
}

fn b3_multi(headers: &ForwardHeaders) -> Option<B3<'_>> {
    b3::multi(b3::Multi {
        trace: headers.only(&catalogue::X_B3_TRACEID),
        span: headers.only(&catalogue::X_B3_SPANID),
        parent: headers.only(&catalogue::X_B3_PARENTSPANID),
        sampled: headers.only(&catalogue::X_B3_SAMPLED),
        flags: headers.only(&catalogue::X_B3_FLAGS),
    })
}

fn b3_single(headers: &ForwardHeaders) -> Option<B3<'_>> {
    b3::single(headers.only(&catalogue::B3)?)
}

fn jaeger(headers: &ForwardHeaders) -> Option<Jaeger<'_>> {
    jaeger::parse(headers.only(&catalogue::UBER_TRACE_ID)?)
}

/// The lower half of the trace id.
fn datadog_trace(headers: &ForwardHeaders) -> Option<u64> {
    Some(datadog::id(headers.only(&catalogue::X_DATADOG_TRACE_ID)?)?.1)
}

fn xray(headers: &ForwardHeaders) -> Option<XRay<'_>> {
    xray::parse(headers.only(&catalogue::X_AMZN_TRACE_ID)?)
}

fn ot_tracer(headers: &ForwardHeaders) -> Option<Id<'_>> {
    ot_tracer::trace(headers.only(&catalogue::OT_TRACER_TRACEID)?)
}

fn w3c(headers: &ForwardHeaders, span: &SpanContext) -> Vec<Written> {
    let random = traceparent(headers).map_or(0, |inbound| inbound.flags & SpanContext::RANDOM);
    let mut written = vec![(&catalogue::TRACEPARENT, traceparent::write(span, span.flags | random))];
    let mut state = trace_state(headers, span);
    let vendor =
        state.get(datadog::KEY).map(|member| datadog::write_member(span, priority(headers, span), member));
    if let Some(member) = &vendor {
        state.put(datadog::KEY, member);
    }
    if !state.is_empty() {
        written.push((&catalogue::TRACESTATE, state.to_string()));
    }
    written
}

/// The span's own state; without one what came in, where it is well-formed and of the same trace.
fn trace_state<'a>(headers: &'a ForwardHeaders, span: &'a SpanContext) -> TraceState<'a> {
    let own = TraceState::parse([span.trace_state.as_bytes()]).filter(|state| !state.is_empty());
    let inbound = || {
        traceparent(headers).filter(|inbound| span.is_of(inbound.trace.number))?;
        TraceState::parse(headers.lines_of(&catalogue::TRACESTATE))
    };
    own.or_else(inbound).unwrap_or_default()
}

/// Datadog's priority, the same in both places where it stands: what came in, if it keeps the trace; otherwise 1.
fn priority(headers: &ForwardHeaders, span: &SpanContext) -> i8 {
    let same_trace = datadog_trace(headers).is_none_or(|trace| span.is_of(trace.into()));
    let header = headers.only(&catalogue::X_DATADOG_SAMPLING_PRIORITY).filter(|_| same_trace);
    let member = trace_state(headers, span).get(datadog::KEY).and_then(datadog::member_priority);
    header.and_then(datadog::priority).into_iter().chain(member).find(|priority| *priority > 0).unwrap_or(1)
}

fn write_b3_multi(headers: &ForwardHeaders, span: &SpanContext) -> Vec<Written> {
    let inbound = b3_multi(headers);
    let debug = b3::is_debug(inbound);
    let (trace, span) = b3::write_multi(span, inbound);
    let mut written = vec![(&catalogue::X_B3_TRACEID, trace), (&catalogue::X_B3_SPANID, span)];
    // Debug implies the decision, so that B3 sends no other beside it; but Envoy, which does not read it, does.
    if !debug || headers.only(&catalogue::X_B3_SAMPLED).is_some() {
        written.push((&catalogue::X_B3_SAMPLED, "1".into()));
    }
    if debug {
        written.push((&catalogue::X_B3_FLAGS, "1".into()));
    }
    written
}

fn write_datadog(headers: &ForwardHeaders, span: &SpanContext) -> Vec<Written> {
    // Tags belong to a trace.
    let tags = headers.only(&catalogue::X_DATADOG_TAGS).filter(|_| datadog_trace(headers).is_some());
    let mut written = vec![
        (&catalogue::X_DATADOG_TRACE_ID, span.lower().to_string()),
        (&catalogue::X_DATADOG_PARENT_ID, span.span_id.to_string()),
        (&catalogue::X_DATADOG_SAMPLING_PRIORITY, priority(headers, span).to_string()),
    ];
    written.extend(datadog::write_tags(span, tags).map(|tags| (&catalogue::X_DATADOG_TAGS, tags)));
    written
}

fn write_ot_tracer(headers: &ForwardHeaders, span: &SpanContext) -> Vec<Written> {
    let [trace, span, sampled] = ot_tracer::write(span, ot_tracer(headers));
    vec![
        (&catalogue::OT_TRACER_TRACEID, trace),
        (&catalogue::OT_TRACER_SPANID, span),
        (&catalogue::OT_TRACER_SAMPLED, sampled),
    ]
}

//! Beside a tracer (rule R13): what came in, with the tracer's current span as the parent.

use crate::block::{self, Stored};
use crate::catalogue::{self, Header};
use crate::formats::traceparent::TraceParent;
use crate::formats::tracestate::TraceState;
use crate::formats::{b3, cloud_trace, datadog, grpc_trace, jaeger, ot_tracer, traceparent, xray};
use crate::shape::{self, Shape};
use crate::{ForwardHeaders, SpanContext};

/// The headers of one format that name the parent, and how they are written anew.
struct Format {
    members: &'static [&'static Header],
    write: fn(&ForwardHeaders, &SpanContext) -> Vec<Written>,
}

/// A header, and what it holds now.
type Written = (&'static Header, String);

/// Every format that is understood. What is not here goes on as it came in.
const FORMATS: &[Format] = &[
    Format { members: &[&catalogue::TRACEPARENT, &catalogue::TRACESTATE], write: w3c },
    Format {
        members: &[
            &catalogue::X_B3_TRACEID,
            &catalogue::X_B3_SPANID,
            &catalogue::X_B3_PARENTSPANID,
            &catalogue::X_B3_SAMPLED,
            &catalogue::X_B3_FLAGS,
        ],
        write: b3_multi,
    },
    Format { members: &[&catalogue::B3], write: b3_single },
    Format { members: &[&catalogue::UBER_TRACE_ID], write: jaeger },
    Format {
        members: &[
            &catalogue::X_DATADOG_TRACE_ID,
            &catalogue::X_DATADOG_PARENT_ID,
            &catalogue::X_DATADOG_SAMPLING_PRIORITY,
            &catalogue::X_DATADOG_TAGS,
        ],
        write: datadog,
    },
    Format { members: &[&catalogue::X_AMZN_TRACE_ID], write: xray },
    Format { members: &[&catalogue::X_CLOUD_TRACE_CONTEXT], write: cloud_trace },
    Format { members: &[&catalogue::GRPC_TRACE_BIN], write: grpc_trace },
    Format {
        members: &[
            &catalogue::OT_TRACER_TRACEID,
            &catalogue::OT_TRACER_SPANID,
            &catalogue::OT_TRACER_SAMPLED,
        ],
        write: ot_tracer,
    },
];

impl ForwardHeaders {
    /// The same headers with `span` as the parent (rule R13): every trace format that came in is written anew in its
    /// own form, so that no two contradict each other; none is added. Formats that only their own tracers can write
    /// (`x-ot-span-context`, `sw8`), and everything that is no trace header, stay as they came in.
    ///
    /// With a span that is invalid, or not sampled, nothing changes: the id of a span that nobody reports would cut the
    /// trace. Whether a span is still recording is for the caller to know.
    ///
    /// # Examples
    ///
    /// ```
    /// use onward::SpanContext;
    ///
    /// let inbound = [("b3", "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1")];
    /// let trace_id = 0x80f198ee56343ba864fe8b2a57d3eff7_u128.to_be_bytes();
    /// let span = SpanContext::new(trace_id, [0xab; 8], SpanContext::SAMPLED);
    ///
    /// let headers = onward::get_forward_headers(&inbound).with_parent(&span);
    /// assert_eq!(headers.get("b3"), Some(&b"80f198ee56343ba864fe8b2a57d3eff7-abababababababab-1"[..]));
    /// ```
    #[must_use]
    pub fn with_parent(&self, span: &SpanContext) -> Self {
        let Some(propagator) = self.propagator().filter(|_| span.is_valid() && span.is_sampled()) else {
            return self.clone();
        };
        let policy = propagator.policy();
        let rank = |header: &Header| policy.select(header.name.as_bytes());
        let mut lines: Vec<_> = self.stored().collect();
        let mut written = Vec::new();
        for format in FORMATS {
            let members: Vec<_> = format.members.iter().filter_map(|header| rank(header)).collect();
            let is_member = |line: &Stored<'_>| members.contains(&line.rank);
            let Some(came_in) = lines.iter().copied().find(is_member) else { continue };
            lines.retain(|line| !is_member(line));
            for (header, value) in (format.write)(self, span) {
                // A member that the policy leaves out stays out.
                written.extend(rank(header).map(|rank| (rank, value, came_in.sensitive)));
            }
        }
        lines.extend(written.iter().map(|(rank, value, sensitive)| Stored {
            rank: *rank,
            name: &[],
            value: value.as_bytes(),
            sensitive: *sensitive,
            reparented: true,
        }));
        // Stable: repeated lines keep their order, and names under prefix rules that of their arrival.
        lines.sort_by_key(|line| usize::from(line.rank).min(policy.exact));
        Self::new(propagator.clone(), block::rewrite(self.block(), shape_of(&lines), &lines))
    }

    /// A header's value; none where it came in more than once.
    pub(crate) fn only(&self, header: &Header) -> Option<&[u8]> {
        let mut lines = self.lines_of(header);
        let value = lines.next()?;
        lines.next().is_none().then_some(value)
    }

    fn lines_of(&self, header: &Header) -> impl Iterator<Item = &[u8]> {
        self.iter().filter(|(present, _)| *present == header.name).map(|(_, value)| value)
    }
}

/// What a plain capture's block says of its lines.
fn shape_of(lines: &[Stored<'_>]) -> Shape {
    let bits = lines.iter().map(|line| if line.name.is_empty() { shape::bit(line.rank) } else { 0 });
    bits.reduce(|shape, bit| if shape & bit == 0 && bit != 0 && shape != 0 { shape | bit } else { 0 })
        .unwrap_or(0)
}

fn w3c(headers: &ForwardHeaders, span: &SpanContext) -> Vec<Written> {
    let random = same_trace(headers, span).map_or(0, |inbound| inbound.flags & SpanContext::RANDOM);
    let mut written = vec![(&catalogue::TRACEPARENT, traceparent::write(span, span.flags | random))];
    let mut state = trace_state(headers, span);
    let vendor =
        state.get(datadog::KEY).map(|member| datadog::write_member(span, priority(headers, &state), member));
    if let Some(member) = &vendor {
        state.put(datadog::KEY, member);
    }
    if !state.is_empty() {
        written.push((&catalogue::TRACESTATE, state.to_string()));
    }
    written
}

/// The `traceparent` that came in, if the span continues its trace.
fn same_trace<'a>(headers: &'a ForwardHeaders, span: &SpanContext) -> Option<TraceParent<'a>> {
    let inbound = headers.only(&catalogue::TRACEPARENT).and_then(traceparent::parse);
    inbound.filter(|inbound| inbound.trace.number == span.trace_id)
}

/// The span's own state; without one what came in, where it is well-formed and of the same trace.
fn trace_state<'a>(headers: &'a ForwardHeaders, span: &'a SpanContext) -> TraceState<'a> {
    let own = TraceState::parse([span.trace_state.as_bytes()]).filter(|state| !state.is_empty());
    let inbound = || {
        same_trace(headers, span)?;
        TraceState::parse(headers.lines_of(&catalogue::TRACESTATE))
    };
    own.or_else(inbound).unwrap_or_default()
}

/// Datadog's priority, the same in both places where it stands: what came in, if it keeps the trace; otherwise 1.
fn priority(headers: &ForwardHeaders, state: &TraceState<'_>) -> i8 {
    let header = headers.only(&catalogue::X_DATADOG_SAMPLING_PRIORITY).and_then(datadog::priority);
    let member = state.get(datadog::KEY).and_then(datadog::member_priority);
    header.into_iter().chain(member).find(|priority| *priority > 0).unwrap_or(1)
}

fn b3_multi(headers: &ForwardHeaders, span: &SpanContext) -> Vec<Written> {
    let sampled = headers.only(&catalogue::X_B3_SAMPLED);
    let inbound = b3::multi(b3::Multi {
        trace: headers.only(&catalogue::X_B3_TRACEID),
        span: headers.only(&catalogue::X_B3_SPANID),
        parent: headers.only(&catalogue::X_B3_PARENTSPANID),
        sampled,
        flags: headers.only(&catalogue::X_B3_FLAGS),
    });
    let debug = b3::is_debug(inbound);
    let (trace, span) = b3::write_multi(span, inbound);
    let mut written = vec![(&catalogue::X_B3_TRACEID, trace), (&catalogue::X_B3_SPANID, span)];
    // Debug implies the decision, so that B3 sends no other beside it; but Envoy, which does not read it, does.
    if !debug || sampled.is_some() {
        written.push((&catalogue::X_B3_SAMPLED, "1".into()));
    }
    if debug {
        written.push((&catalogue::X_B3_FLAGS, "1".into()));
    }
    written
}

fn b3_single(headers: &ForwardHeaders, span: &SpanContext) -> Vec<Written> {
    let inbound = headers.only(&catalogue::B3).and_then(b3::single);
    vec![(&catalogue::B3, b3::write_single(span, inbound))]
}

fn jaeger(headers: &ForwardHeaders, span: &SpanContext) -> Vec<Written> {
    let inbound = headers.only(&catalogue::UBER_TRACE_ID).and_then(jaeger::parse);
    vec![(&catalogue::UBER_TRACE_ID, jaeger::write(span, inbound))]
}

fn datadog(headers: &ForwardHeaders, span: &SpanContext) -> Vec<Written> {
    let inbound = headers.only(&catalogue::X_DATADOG_TRACE_ID).and_then(datadog::id);
    // Tags belong to the trace.
    let same_trace = inbound.is_some_and(|(_, id)| id == span.lower());
    let tags = headers.only(&catalogue::X_DATADOG_TAGS).filter(|_| same_trace);
    let priority = priority(headers, &trace_state(headers, span));
    let mut written = vec![
        (&catalogue::X_DATADOG_TRACE_ID, span.lower().to_string()),
        (&catalogue::X_DATADOG_PARENT_ID, span.span_id.to_string()),
        (&catalogue::X_DATADOG_SAMPLING_PRIORITY, priority.to_string()),
    ];
    written.extend(datadog::write_tags(span, tags).map(|tags| (&catalogue::X_DATADOG_TAGS, tags)));
    written
}

fn xray(headers: &ForwardHeaders, span: &SpanContext) -> Vec<Written> {
    let inbound = headers.only(&catalogue::X_AMZN_TRACE_ID).and_then(xray::parse);
    vec![(&catalogue::X_AMZN_TRACE_ID, xray::write(span, inbound.as_ref()))]
}

fn cloud_trace(_: &ForwardHeaders, span: &SpanContext) -> Vec<Written> {
    vec![(&catalogue::X_CLOUD_TRACE_CONTEXT, cloud_trace::write(span))]
}

fn grpc_trace(headers: &ForwardHeaders, span: &SpanContext) -> Vec<Written> {
    vec![(&catalogue::GRPC_TRACE_BIN, grpc_trace::write(span, headers.only(&catalogue::GRPC_TRACE_BIN)))]
}

fn ot_tracer(headers: &ForwardHeaders, span: &SpanContext) -> Vec<Written> {
    let inbound = headers.only(&catalogue::OT_TRACER_TRACEID).and_then(ot_tracer::trace);
    let [trace, span, sampled] = ot_tracer::write(span, inbound);
    vec![
        (&catalogue::OT_TRACER_TRACEID, trace),
        (&catalogue::OT_TRACER_SPANID, span),
        (&catalogue::OT_TRACER_SAMPLED, sampled),
    ]
}

#[cfg(test)]
mod tests;

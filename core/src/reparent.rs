//! Beside a tracer (rule R13): what came in, with the tracer's current span as the parent.

use crate::block::{self, Stored};
use crate::catalogue::{self, Header};
use crate::formats::tracestate::TraceState;
use crate::formats::{b3, traceparent};
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
];

impl ForwardHeaders {
    /// The same headers with `span` as the parent (rule R13): every trace format that came in is written anew in its
    /// own form, so that no two contradict each other; none is added. Formats that are a tracer's own secret
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
        let rank = |header: &Header| propagator.policy().select(header.name.as_bytes());
        let mut lines: Vec<_> = self.stored().collect();
        let mut written = Vec::new();
        for format in FORMATS {
            let members: Vec<_> = format.members.iter().filter_map(|header| rank(header)).collect();
            let is_member = |line: &Stored<'_>| members.contains(&line.rank);
            let Some(came_in) = lines.iter().copied().find(is_member) else { continue };
            lines.retain(|line| !is_member(line));
            let values = (format.write)(self, span);
            // A member that the policy leaves out stays out.
            written.extend(
                values
                    .into_iter()
                    .filter_map(|(header, value)| Some((rank(header)?, value, came_in.sensitive))),
            );
        }
        lines.extend(written.iter().map(|(rank, value, sensitive)| Stored {
            rank: *rank,
            name: &[],
            value: value.as_bytes(),
            sensitive: *sensitive,
        }));
        // Stable: repeated lines, and names under prefix rules, keep their order.
        lines.sort_by_key(|line| line.rank);
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
    let inbound = headers.only(&catalogue::TRACEPARENT).and_then(traceparent::parse);
    let same_trace = inbound.filter(|inbound| inbound.trace.number == span.trace_id);
    let random = same_trace.map_or(0, |inbound| inbound.flags & SpanContext::RANDOM);
    let mut written = vec![(&catalogue::TRACEPARENT, traceparent::write(span, span.flags | random))];
    if let Some(state) = trace_state(headers, span, same_trace.is_some()) {
        written.push((&catalogue::TRACESTATE, state.to_string()));
    }
    written
}

/// The span's own state; without one what came in, if it is well-formed and of the same trace.
fn trace_state<'a>(
    headers: &'a ForwardHeaders,
    span: &'a SpanContext,
    same_trace: bool,
) -> Option<TraceState<'a>> {
    let own = TraceState::parse([span.trace_state.as_bytes()]).filter(|state| !state.is_empty());
    let inbound = || {
        let lines = same_trace.then(|| headers.lines_of(&catalogue::TRACESTATE))?;
        TraceState::parse(lines).filter(|state| !state.is_empty())
    };
    own.or_else(inbound)
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

//! Beside a tracer (rule R13): what came in, with the tracer's current span as the parent.

use crate::block::{self, Beside, Stored};
use crate::catalogue::Header;
use crate::shape::{self, Shape};
use crate::{ForwardHeaders, SpanContext};

mod formats;

impl ForwardHeaders {
    /// The same headers with `span` as the parent (rule R13): every trace format that came in is written anew in its
    /// own form, so that all name the same parent; none is added. Formats that only their own tracers can write
    /// (`x-ot-span-context`, `sw8`), and everything that is no trace header, stay as they came in.
    ///
    /// The parent changes, never the trace: a format that came in with the id of another trace stays as it came in. So a
    /// tracer that cannot read the format of the mesh, and has begun a trace of its own, does not cut the mesh's trace.
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
        let opaque: Vec<_> = formats::OPAQUE.into_iter().filter_map(rank).collect();
        lines
            .iter_mut()
            .filter(|line| opaque.contains(&line.rank))
            .for_each(|line| line.beside = Beside::Opaque);
        let (mut written, mut taken_off) = (Vec::new(), Vec::new());
        for format in formats::ALL {
            let members: Vec<_> = format.members.iter().filter_map(|header| rank(header)).collect();
            let is_member = |line: &Stored<'_>| members.contains(&line.rank);
            let Some(came_in) = lines.iter().copied().find(is_member) else { continue };
            if (format.trace)(self).is_some_and(|trace| !span.is_of(trace)) {
                lines
                    .iter_mut()
                    .filter(|line| is_member(line))
                    .for_each(|line| line.beside = Beside::OtherTrace);
                continue;
            }
            let before: Vec<_> = lines.extract_if(.., |line| is_member(line)).map(|line| line.rank).collect();
            for (header, value) in (format.write)(self, span) {
                // A member that the policy leaves out stays out.
                written.extend(rank(header).map(|rank| (rank, value, came_in.sensitive)));
            }
            let is_left = |rank: &u16| written.iter().all(|(written, ..)| written != rank);
            taken_off.extend(before.into_iter().filter(is_left));
        }
        lines.extend(written.iter().map(|(rank, value, sensitive)| Stored {
            rank: *rank,
            name: &[],
            value: value.as_bytes(),
            sensitive: *sensitive,
            beside: Beside::Parent,
        }));
        // Stable: repeated lines keep their order, and names under prefix rules that of their arrival.
        lines.sort_by_key(|line| usize::from(line.rank).min(policy.exact));
        Self::new(propagator.clone(), block::rewrite(self.block(), shape_of(&lines), &lines, &taken_off))
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

#[cfg(test)]
mod tests;

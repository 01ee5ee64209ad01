//! A span of a tracer that runs beside Onward.

/// The current span of a tracer in this service, such as an OpenTelemetry SDK: what the outbound request's parent is to
/// be (rule R13).
///
/// # Examples
///
/// ```
/// use onward::SpanContext;
///
/// let span = SpanContext::new([0x0a; 16], [0x0b; 8], SpanContext::SAMPLED).with_trace_state("vendor=1");
/// assert!(span.is_valid() && span.is_sampled());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpanContext {
    pub(crate) trace_id: u128,
    pub(crate) span_id: u64,
    pub(crate) flags: u8,
    pub(crate) trace_state: String,
}

impl SpanContext {
    /// W3C's flag of a span that is reported.
    pub const SAMPLED: u8 = 1;
    /// W3C's flag of a trace id whose lower 56 bits are random (level 2).
    pub const RANDOM: u8 = 2;

    /// From the ids, in network order, and W3C's trace flags.
    #[must_use]
    pub const fn new(trace_id: [u8; 16], span_id: [u8; 8], flags: u8) -> Self {
        Self {
            trace_id: u128::from_be_bytes(trace_id),
            span_id: u64::from_be_bytes(span_id),
            flags,
            trace_state: String::new(),
        }
    }

    /// With the span's own trace state, as `tracestate` has it. One that is not well-formed is none.
    #[must_use]
    pub fn with_trace_state(mut self, trace_state: impl Into<String>) -> Self {
        self.trace_state = trace_state.into();
        self
    }

    /// Whether neither id is zero.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        self.trace_id != 0 && self.span_id != 0
    }

    /// Whether the span is reported.
    #[must_use]
    pub const fn is_sampled(&self) -> bool {
        self.flags & Self::SAMPLED != 0
    }

    /// Whether the span belongs to that trace. Half an id is enough: many a tracer has no more, and fills it up with zeros.
    pub(crate) const fn is_of(&self, trace: u128) -> bool {
        let differing = self.trace_id ^ trace;
        differing == 0 || (differing << 64 == 0 && (self.upper() == 0 || trace >> 64 == 0))
    }

    /// The upper half of the trace id: zero where a trace has an id of 64 bits.
    pub(crate) const fn upper(&self) -> u64 {
        (self.trace_id >> 64) as u64
    }

    /// The lower half of the trace id.
    #[expect(clippy::cast_possible_truncation, reason = "the half that is meant")]
    pub(crate) const fn lower(&self) -> u64 {
        self.trace_id as u64
    }

    /// The trace id in 16 digits where one of 64 bits came in, and this one is no longer; in 32 otherwise.
    pub(crate) fn trace_digits(&self, came_in: Option<usize>) -> String {
        let short = self.upper() == 0 && came_in.is_some_and(|digits| digits <= 16);
        let width = if short { 16 } else { 32 };
        format!("{:0width$x}", self.trace_id)
    }
}

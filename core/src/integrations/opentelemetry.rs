//! OpenTelemetry: its current span as the parent of what goes out (rule R13), and Onward as one of its propagators.
//!
//! With this feature, whatever writes forward headers looks for the span of `opentelemetry::Context::current()`. Is it
//! valid, recording and sampled, the trace headers that came in leave with it as their parent; otherwise they leave as
//! they came in. Nothing is to be called for that:
//!
//! ```
//! use opentelemetry::propagation::TextMapPropagator;
//! use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};
//! use opentelemetry_sdk::{propagation::TraceContextPropagator, trace::SdkTracerProvider};
//! # use std::collections::HashMap;
//!
//! let inbound = [
//!     ("traceparent", "00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01"),
//!     ("b3", "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1"),
//!     ("x-request-id", "7f6c"),
//! ];
//! // What an instrumented server does:
//! # let carrier: HashMap<_, _> = inbound.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
//! let caller = TraceContextPropagator::new().extract(&carrier);
//! let tracer = SdkTracerProvider::default().tracer("reviews");
//! let context = caller.with_span(tracer.start_with_context("GET /reviews", &caller));
//! let span = context.span().span_context().span_id();
//! let _current = context.attach();
//!
//! // And with Onward:
//! let _scope = onward::enter(onward::get_forward_headers(&inbound));
//! let mut request = http::Request::get("http://ratings:9080/").body(())?;
//! onward::inject_into(&mut request);
//! assert_eq!(request.headers()["b3"], format!("80f198ee56343ba864fe8b2a57d3eff7-{span}-1"));
//! assert_eq!(request.headers()["x-request-id"], "7f6c");
//! # Ok::<(), http::Error>(())
//! ```
//!
//! The parent changes, never the trace: a format that came in with the id of another trace than the span's goes on as it
//! came in.
//!
//! What is read ([`ForwardHeaders::iter`] and the like) is what came in. Headers that were given a parent by
//! [`with_parent`](ForwardHeaders::with_parent) keep that one.
//!
//! # Limitations
//!
//! The crate opentelemetry keeps a context for each of its versions, and this feature sees that of 0.33 alone. Beside
//! another version, give [`with_parent`](ForwardHeaders::with_parent) the span.

use ::opentelemetry::Context;
use ::opentelemetry::propagation::text_map_propagator::FieldIter;
use ::opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use ::opentelemetry::trace::{self, TraceContextExt};

use crate::{
    Destination, Extract, ForwardHeaders, Inject, Line, Name, Propagator, SpanContext, Value, current,
    default_propagator,
};

/// The span that outbound requests have as their parent: the current one, if it is valid, recording and sampled.
#[must_use]
pub fn current_span() -> Option<SpanContext> {
    // The crate panics where a thread that ends has lost its context already.
    std::panic::catch_unwind(|| Context::map_current(span_of)).ok().flatten()
}

fn span_of(context: &Context) -> Option<SpanContext> {
    // Without a span the crate would make one up that is invalid.
    if !context.has_active_span() {
        return None;
    }
    let span = context.span();
    let reported = span.span_context().is_valid() && span.span_context().is_sampled() && span.is_recording();
    reported.then(|| span.span_context().into())
}

impl From<&trace::SpanContext> for SpanContext {
    fn from(span: &trace::SpanContext) -> Self {
        Self::new(span.trace_id().to_bytes(), span.span_id().to_bytes(), span.trace_flags().to_u8())
            .with_trace_state(span.trace_state().header())
    }
}

/// A propagator that has others write their headers, and forwards what they leave: `x-request-id`, and every trace
/// format that is none of theirs, with the context's span as its parent.
///
/// It is for whatever calls OpenTelemetry's propagators: servers and clients that are instrumented forward without
/// another line of Onward.
///
/// An [`Injector`] does not say where its request goes, so it counts as going outside the mesh: `trace` headers alone
/// are written (rule R8), unless [`full_set`](Self::full_set) says otherwise.
///
/// # Limitations
///
/// - An [`Injector`] does not tell what the request has either. What the caller has set is overwritten, as the other
///   propagators do it.
/// - It holds text: a value that is no UTF-8 stays behind. opentelemetry-http's takes ASCII alone.
///
/// # Examples
///
/// ```
/// use std::collections::HashMap;
/// use opentelemetry::propagation::{TextMapCompositePropagator, TextMapPropagator};
/// use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
///
/// let others = TextMapCompositePropagator::new(vec![
///     Box::new(TraceContextPropagator::new()),
///     Box::new(BaggagePropagator::new()),
/// ]);
/// let propagator = onward::opentelemetry::OnwardPropagator::beside(others);
///
/// let inbound = HashMap::from([("x-request-id".to_owned(), "7f6c".to_owned())]);
/// let context = propagator.extract(&inbound);
/// let mut outbound = HashMap::new();
/// propagator.inject_context(&context, &mut outbound);
/// assert_eq!(outbound["x-request-id"], "7f6c");
///
/// opentelemetry::global::set_text_map_propagator(propagator);
/// ```
#[derive(Debug)]
pub struct OnwardPropagator {
    others: Box<dyn TextMapPropagator + Send + Sync>,
    propagator: Propagator,
    full_set: bool,
    fields: Vec<String>,
}

impl OnwardPropagator {
    /// Beside these propagators, with the process's default policy as it stands now.
    #[must_use]
    pub fn beside(others: impl TextMapPropagator + Send + Sync + 'static) -> Self {
        let propagator = default_propagator().clone();
        let mut fields: Vec<_> = others.fields().map(str::to_owned).collect();
        for header in propagator.plan().headers {
            if !fields.contains(&header.name) {
                fields.push(header.name);
            }
        }
        Self { others: Box::new(others), propagator, full_set: false, fields }
    }

    /// Forwards `context` and `credential` headers too: where all that is called lies in the mesh.
    #[must_use]
    pub fn full_set(mut self) -> Self {
        self.full_set = true;
        self
    }
}

impl TextMapPropagator for OnwardPropagator {
    /// The context's headers; those of Onward's scope where it has none.
    fn inject_context(&self, context: &Context, injector: &mut dyn Injector) {
        let mut request = Request { injector, written: Vec::new() };
        self.others.inject_context(context, &mut request);
        let mut headers = context.get::<ForwardHeaders>().cloned().unwrap_or_else(current);
        if let Some(span) = span_of(context) {
            headers = headers.with_parent(&span);
        }
        let outside = Destination::parse("");
        headers.write((!self.full_set).then_some(&outside), &mut request);
    }

    fn extract_with_context(&self, context: &Context, extractor: &dyn Extractor) -> Context {
        let headers = self.propagator.extract(&Inbound(extractor));
        self.others.extract_with_context(context, extractor).with_value(headers)
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&self.fields)
    }
}

struct Inbound<'a>(&'a dyn Extractor);

impl Extract for Inbound<'_> {
    fn lines<'a>(&'a self, mut line: impl FnMut(Line<'a>)) {
        for name in self.0.keys() {
            for value in self.0.get_all(name).unwrap_or_default() {
                line(Line::new(name.as_bytes(), value.as_bytes()));
            }
        }
    }
}

/// An injector that remembers which names were written, so that what the other propagators wrote wins (rule R6).
struct Request<'a> {
    injector: &'a mut dyn Injector,
    written: Vec<String>,
}

impl Injector for Request<'_> {
    fn set(&mut self, name: &str, value: String) {
        self.written.push(name.to_owned());
        self.injector.set(name, value);
    }

    fn reserve(&mut self, additional: usize) {
        self.injector.reserve(additional);
    }
}

impl Extract for Request<'_> {
    fn lines<'a>(&'a self, mut line: impl FnMut(Line<'a>)) {
        for name in &self.written {
            line(Line::new(name.as_bytes(), b""));
        }
    }
}

impl Inject for Request<'_> {
    const REPEATS: bool = false;

    fn insert(&mut self, name: Name<'_>, value: Value<'_>) {
        if let Ok(value) = str::from_utf8(value.as_bytes()) {
            self.injector.set(name.as_str(), value.to_owned());
        }
    }

    fn append(&mut self, name: Name<'_>, value: Value<'_>) {
        self.insert(name, value);
    }

    fn reserve(&mut self, lines: usize) {
        self.injector.reserve(lines);
    }
}

/// The guide's page, compiled and run.
#[cfg(all(doctest, feature = "axum", feature = "reqwest"))]
#[doc = include_str!("../../../docs/opentelemetry.md")]
struct Page;

//! What was captured of one request, by the core itself.

use std::borrow::Cow;

use napi::bindgen_prelude::Either;
use napi_derive::napi;
use onward::{Destination, DropReason, ForwardHeaders, Outcome, Propagator, SpanContext};

use crate::carriers::{Inbound, Outbound, text};
use crate::failure::{Failure, guarded};

/// Reason of a drop that only a language with text beyond Latin-1 knows.
const NOT_LATIN1: (&str, &str) = ("not_latin1", "its value is no Latin-1 text");

/// Captured headers.
#[napi]
pub struct NativeCapture {
    inner: ForwardHeaders,
    not_latin1: Vec<String>,
}

/// What log lines get.
#[napi(object)]
pub struct Ids {
    pub request_id: Option<String>,
    pub trace_id: Option<String>,
}

/// One header of an explanation.
#[napi(object)]
pub struct Row {
    pub name: String,
    pub class: String,
    pub outcome: String,
    pub rule: String,
    pub reason: String,
}

impl NativeCapture {
    pub(crate) fn new(propagator: &Propagator, inbound: &[String]) -> Self {
        let inbound = Inbound::new(inbound);
        Self { inner: propagator.extract(&inbound), not_latin1: inbound.not_latin1 }
    }

    fn is_not_latin1(&self, name: &str) -> bool {
        self.not_latin1.iter().any(|other| other == name)
    }

    fn added<const REPEATS: bool>(
        &self,
        destination: Option<&Destination<'_>>,
        outbound: &[String],
        defaults: Vec<String>,
    ) -> Vec<String> {
        let mut outbound = Outbound::<REPEATS>::new(outbound, defaults);
        match destination {
            Some(destination) => self.inner.inject_to(destination, &mut outbound),
            None => self.inner.inject(&mut outbound),
        }
        outbound.added
    }

    fn explained(
        &self,
        destination: Option<&Destination<'_>>,
        outbound: &[String],
        defaults: &[String],
    ) -> Vec<Row> {
        let outbound = Outbound::<true>::new(outbound, Vec::new());
        let is_default = |name: &str| defaults.iter().any(|default| default.eq_ignore_ascii_case(name));
        let explanation = self.inner.explain_with(destination, &outbound, is_default);
        let rows = explanation.rows().iter().map(|row| Row {
            name: row.name.clone(),
            class: row.class.as_str().into(),
            outcome: row.outcome.as_str().into(),
            rule: row.rule.into(),
            reason: if row.outcome == Outcome::Dropped && self.is_not_latin1(&row.name) {
                NOT_LATIN1.1.into()
            } else {
                row.reason.clone()
            },
        });
        rows.collect()
    }
}

#[napi]
impl NativeCapture {
    /// All lines, flat.
    #[napi(catch_unwind)]
    pub fn lines(&self) -> Either<Vec<String>, Failure> {
        guarded(|| Ok(self.inner.iter().flat_map(|(name, value)| [name.to_owned(), text(value)]).collect()))
    }

    /// The ids of the request and of its trace.
    #[napi(catch_unwind)]
    pub fn ids(&self) -> Either<Ids, Failure> {
        guarded(|| {
            let trace_id = self.inner.trace_id().map(Cow::into_owned);
            Ok(Ids { request_id: self.inner.request_id().map(str::to_owned), trace_id })
        })
    }

    /// Names and reasons of what was dropped, flat.
    #[napi(catch_unwind)]
    pub fn dropped(&self) -> Either<Vec<String>, Failure> {
        guarded(|| {
            let drops = self.inner.dropped().flat_map(|(name, reason)| {
                let not_latin1 = reason == DropReason::ForbiddenByte && self.is_not_latin1(&name);
                let code = if not_latin1 { NOT_LATIN1.0 } else { reason.code() };
                [name.into_owned(), code.to_owned()]
            });
            Ok(drops.collect())
        })
    }

    /// How many lines were dropped; more than [`dropped`](Self::dropped) lists when there are very many.
    #[napi(catch_unwind)]
    pub fn dropped_count(&self) -> Either<u32, Failure> {
        guarded(|| Ok(u32::try_from(self.inner.dropped_count()).unwrap_or(u32::MAX)))
    }

    /// The same headers with a span as the parent. Ids are in hexadecimal; what is none is an invalid span's.
    #[napi(catch_unwind)]
    pub fn with_parent(
        &self,
        trace_id: String,
        span_id: String,
        trace_flags: u32,
        trace_state: String,
    ) -> Either<NativeCapture, Failure> {
        guarded(|| {
            let flags = u8::try_from(trace_flags & 0xff).unwrap_or_default();
            let span = SpanContext::new(id(&trace_id), id(&span_id), flags).with_trace_state(trace_state);
            Ok(Self { inner: self.inner.with_parent(&span), not_latin1: self.not_latin1.clone() })
        })
    }

    /// What injection adds to an outbound request, flat. With `repeats` a name can have several lines.
    #[napi(catch_unwind)]
    pub fn inject(
        &self,
        destination: Option<String>,
        outbound: Vec<String>,
        defaults: Vec<String>,
        repeats: bool,
    ) -> Either<Vec<String>, Failure> {
        guarded(|| {
            let destination = destination.as_deref().map(Destination::parse);
            Ok(if repeats {
                self.added::<true>(destination.as_ref(), &outbound, defaults)
            } else {
                self.added::<false>(destination.as_ref(), &outbound, defaults)
            })
        })
    }

    /// What injection adds to the headers of a message, flat.
    #[napi(catch_unwind)]
    pub fn inject_message(
        &self,
        outbound: Vec<String>,
        credentials: bool,
        repeats: bool,
    ) -> Either<Vec<String>, Failure> {
        guarded(|| {
            let destination = Some(&message(credentials));
            Ok(if repeats {
                self.added::<true>(destination, &outbound, Vec::new())
            } else {
                self.added::<false>(destination, &outbound, Vec::new())
            })
        })
    }

    /// What becomes of each header.
    #[napi(catch_unwind)]
    pub fn explain(
        &self,
        destination: Option<String>,
        outbound: Vec<String>,
        defaults: Vec<String>,
    ) -> Either<Vec<Row>, Failure> {
        guarded(|| {
            let destination = destination.as_deref().map(Destination::parse);
            Ok(self.explained(destination.as_ref(), &outbound, &defaults))
        })
    }

    /// What becomes of each header on the way into a message.
    #[napi(catch_unwind)]
    pub fn explain_message(&self, outbound: Vec<String>, credentials: bool) -> Either<Vec<Row>, Failure> {
        guarded(|| Ok(self.explained(Some(&message(credentials)), &outbound, &[])))
    }
}

/// An id's bytes; zeros where the text is not as many hexadecimal digits.
fn id<const BYTES: usize>(text: &str) -> [u8; BYTES] {
    let digits: Vec<_> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    let mut id = [0; BYTES];
    if (digits.len(), text.len()) == (2 * BYTES, 2 * BYTES) {
        for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = u8::try_from(pair[0] << 4 | pair[1]).unwrap_or_default();
        }
    }
    id
}

/// Where the headers of a message go.
fn message(credentials: bool) -> Destination<'static> {
    if credentials { Destination::message_with_credentials() } else { Destination::message() }
}

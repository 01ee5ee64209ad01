//! Injection: which captured headers an outbound request gets, and writing them.

use http::HeaderName;
use smallvec::SmallVec;

use crate::block::{self, Stored};
use crate::carriers::{Extract, Inject, Name, Value};
use crate::catalogue::AUTHORIZATION;
use crate::destination::{Destination, Placement};
use crate::headers::ForwardHeaders;
use crate::policy::{FamilyId, Policy, Rule, TraceDestinations};
use crate::shape::{Batch, Shape};

/// What becomes of one captured header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Forward,
    /// The outbound request has a member of its family already (rule R6).
    CallerWins,
    /// Its class may not go to this destination (rule R8).
    Outside(Placement),
    /// The request is signed (rule R8).
    Signed,
}

/// One outbound request, as far as it decides about headers.
pub(crate) struct Outbound<'a, C: ?Sized> {
    policy: &'a Policy,
    carrier: &'a C,
    /// None without a destination: the full set goes.
    placement: Option<Placement>,
    signed: bool,
    taken: Taken,
}

/// Families that the caller has set.
#[derive(Default)]
struct Taken {
    any: bool,
    /// The first 256, which no real policy exceeds.
    bits: [u64; 4],
    more: Vec<FamilyId>,
}

impl Taken {
    fn insert(&mut self, family: FamilyId) {
        match self.bits.get_mut(usize::from(family / 64)) {
            Some(word) => *word |= 1 << (family % 64),
            None => self.more.push(family),
        }
    }

    fn contains(&self, family: FamilyId) -> bool {
        match self.bits.get(usize::from(family / 64)) {
            Some(word) => word >> (family % 64) & 1 == 1,
            None => self.more.contains(&family),
        }
    }
}

impl<'a, C: Extract + ?Sized> Outbound<'a, C> {
    pub(crate) fn new(
        policy: &'a Policy,
        carrier: &'a C,
        placement: Option<Placement>,
        presigned: bool,
        is_default: impl Fn(&str) -> bool,
    ) -> Self {
        let mut taken = Taken::default();
        let mut signed = presigned;
        carrier.lines(|line| {
            taken.any = true;
            if let Some(family) = policy.family_of(line.name)
                && !std::str::from_utf8(line.name).is_ok_and(&is_default)
            {
                taken.insert(family);
            }
            signed |= placement.is_some()
                && line.name.eq_ignore_ascii_case(AUTHORIZATION.name.as_bytes())
                && (line.value.starts_with(b"AWS4-") || line.value.starts_with(b"AWS "));
        });
        Self { policy, carrier, placement, signed, taken }
    }

    pub(crate) fn verdict(&self, rule: &Rule, prefixed: &[u8]) -> Verdict {
        if self.signed {
            return Verdict::Signed;
        }
        if let Some(placement) = self.placement
            && !placement.admits(rule.class, self.policy.trace_destinations)
        {
            return Verdict::Outside(placement);
        }
        let taken = self.taken.any
            && match rule.family {
                Some(family) => self.taken.contains(family),
                None => self.has(prefixed),
            };
        if taken { Verdict::CallerWins } else { Verdict::Forward }
    }

    fn has(&self, name: &[u8]) -> bool {
        let mut has = false;
        self.carrier.lines(|line| has |= line.name.eq_ignore_ascii_case(name));
        has
    }
}

/// Whether a carrier has no header yet.
fn is_blank<C: Extract + ?Sized>(carrier: &C) -> bool {
    let mut blank = true;
    carrier.lines(|_| blank = false);
    blank
}

/// The ranks whose class may go to the destination.
fn allowed(policy: &Policy, placement: Option<Placement>) -> Shape {
    match placement {
        // Messages are few, and none is a map that a shape is kept for.
        Some(Placement::Message) => 0,
        Some(Placement::MessageWithCredentials) => Shape::MAX,
        Some(placement) if !placement.in_mesh() => match policy.trace_destinations {
            TraceDestinations::All => policy.trace_ranks,
            TraceDestinations::Mesh => 0,
        },
        _ => Shape::MAX,
    }
}

impl ForwardHeaders {
    /// Writes all headers to an outbound request, wherever it goes. What the request has already wins (rule R6).
    ///
    /// This is the full set, credentials included. Where the destination is not known to be in the mesh, use
    /// [`inject_to`](Self::inject_to). Only into a carrier that is a message ([`Inject::MESSAGE`]) no credentials go.
    pub fn inject<C: Inject + ?Sized>(&self, outbound: &mut C) {
        self.leaving(|headers| headers.write(None, outbound));
    }

    /// Writes the headers that may go to `destination` (rule R8) to an outbound request. What the request has
    /// already wins (rule R6). A signed request stays as it is.
    ///
    /// # Examples
    ///
    /// ```
    /// use onward::Destination;
    ///
    /// let headers = onward::get_forward_headers(&[("x-request-id", "7f6c"), ("cookie", "a=b")]);
    /// let mut outbound = http::HeaderMap::new();
    /// headers.inject_to(&Destination::parse("https://api.example.com/"), &mut outbound);
    /// assert_eq!(outbound.len(), 1);
    /// assert_eq!(outbound["x-request-id"], "7f6c");
    /// ```
    pub fn inject_to<C: Inject + ?Sized>(&self, destination: &Destination<'_>, outbound: &mut C) {
        self.leaving(|headers| headers.write(Some(destination), outbound));
    }

    /// The headers as they leave from here: with OpenTelemetry's current span as the parent (rule R13), unless the
    /// caller has given them another one.
    #[inline]
    pub(crate) fn leaving<R>(&self, f: impl FnOnce(&Self) -> R) -> R {
        #[cfg(feature = "opentelemetry")]
        if let Some(span) = crate::opentelemetry::current_span()
            && !self.stored().any(|line| line.beside == block::Beside::Parent)
        {
            return f(&self.with_parent(&span));
        }
        f(self)
    }

    /// Writes the headers as they are.
    pub(crate) fn write<C: Inject + ?Sized>(&self, destination: Option<&Destination<'_>>, outbound: &mut C) {
        let Some(propagator) = self.propagator() else { return };
        let policy = propagator.policy();
        let placement = match destination.map(|destination| policy.mesh.place(destination)) {
            // Where a broker lies says nothing about who reads what it keeps.
            None if C::MESSAGE => Some(Placement::Message),
            Some(placement) if C::MESSAGE && placement.in_mesh() => Some(Placement::Message),
            placement => placement,
        };
        let presigned = destination.is_some_and(|destination| destination.presigned);
        if !presigned && is_blank(outbound) {
            let shape = block::shape(self.block()) & allowed(policy, placement);
            if shape != 0 && outbound.fill(Batch::new(policy, self.block(), shape)) {
                return;
            }
        }
        let is_default = |name: &str| outbound.is_default(name);
        let decision = Outbound::new(policy, &*outbound, placement, presigned, is_default);
        let lines: SmallVec<[Stored<'_>; 16]> = self
            .stored()
            .filter(|line| decision.verdict(policy.rule(line.rank), line.name) == Verdict::Forward)
            .collect();
        outbound.reserve(lines.len());
        for header in lines.chunk_by(Stored::same_header) {
            let rule = policy.rule(header[0].rank);
            if header[0].name.is_empty() {
                self.write_header(header, Name(&rule.name), rule.separator, outbound);
            } else if let Ok(name) = HeaderName::from_bytes(header[0].name) {
                self.write_header(header, Name(&name), rule.separator, outbound);
            }
        }
    }

    fn write_header<C: Inject + ?Sized>(
        &self,
        lines: &[Stored<'_>],
        name: Name<'_>,
        separator: &str,
        outbound: &mut C,
    ) {
        if lines.len() > 1 && !C::REPEATS {
            let joined = lines.iter().map(|line| line.value).collect::<Vec<_>>().join(separator.as_bytes());
            let sensitive = lines.iter().any(|line| line.sensitive);
            return outbound.insert(name, Value { bytes: &joined, block: None, sensitive });
        }
        for (i, line) in lines.iter().enumerate() {
            let value = Value { bytes: line.value, block: Some(self.block()), sensitive: line.sensitive };
            if i == 0 { outbound.insert(name, value) } else { outbound.append(name, value) }
        }
    }
}

//! What the attribute's expansion calls. Not part of the public interface.

use std::borrow::Borrow;
use std::marker::PhantomData;
use std::sync::OnceLock;

use crate::catalogue::presets::PRESETS;
use crate::catalogue::refused;
use crate::{Extract, ForwardHeaders, Propagator, default_propagator};

/// Captures. The one place where a missing `Extract` is reported when the argument is no carrier.
#[inline]
pub fn extract<C: Extract + ?Sized>(propagator: &Propagator, carrier: &C) -> ForwardHeaders {
    propagator.extract(carrier)
}

/// A propagator, whether the user's expression gives it by value or by reference.
pub fn propagator<P: Borrow<Propagator>>(propagator: &P) -> &Propagator {
    propagator.borrow()
}

/// The policy of one handler.
pub trait HandlerPolicy {
    /// Its propagator.
    fn propagator() -> &'static Propagator;
}

/// The policy of the process.
#[derive(Debug)]
pub struct DefaultPolicy;

impl HandlerPolicy for DefaultPolicy {
    #[inline]
    fn propagator() -> &'static Propagator {
        default_propagator()
    }
}

/// The argument that is added to a handler without a carrier. A framework's integration makes it an extractor.
pub type Captured<P> = PropagateGoesAbove<P>;

/// Its name says which order is right, where the compiler shows it: a route attribute above `#[propagate]` calls the
/// handler without an argument "of type `onward::__private::PropagateGoesAbove`".
#[derive(Debug)]
pub struct PropagateGoesAbove<P> {
    headers: ForwardHeaders,
    policy: PhantomData<fn() -> P>,
}

impl<P: HandlerPolicy> Captured<P> {
    /// What a framework's integration calls.
    #[inline]
    pub fn from_carrier<C: Extract + ?Sized>(carrier: &C) -> Self {
        Self { headers: P::propagator().extract(carrier), policy: PhantomData }
    }
}

/// Holds where a framework's feature is on.
#[diagnostic::on_unimplemented(
    message = "this handler has no argument that holds the request's headers",
    label = "`#[propagate]` adds an extractor here, and no framework's feature of the crate onward is on",
    note = "enable your framework's: `actix`, `axum`, `poem`, `rocket` or `salvo`, as in `cargo add onward --features axum`",
    note = "or add an argument of type `HeaderMap`, `Request` or `Parts`, or say where the headers are: `#[propagate(from = expression)]`"
)]
pub trait Extractor {}

#[cfg(any(feature = "actix", feature = "axum", feature = "poem", feature = "rocket", feature = "salvo"))]
impl<P> Extractor for Captured<P> {}

/// Where the missing feature is reported.
#[inline]
pub fn captured<P>(captured: Captured<P>) -> ForwardHeaders
where
    Captured<P>: Extractor,
{
    captured.headers
}

/// A handler's own policy, derived from the default one when the handler first runs.
#[derive(Debug)]
pub struct Derived {
    presets: &'static [&'static str],
    adds: &'static [&'static str],
    excepts: &'static [&'static str],
    propagator: OnceLock<Propagator>,
}

impl Derived {
    /// The names were checked when the handler was compiled.
    #[must_use]
    pub const fn new(
        presets: &'static [&'static str],
        adds: &'static [&'static str],
        excepts: &'static [&'static str],
    ) -> Self {
        Self { presets, adds, excepts, propagator: OnceLock::new() }
    }

    /// The derived propagator.
    pub fn propagator(&self) -> &Propagator {
        self.propagator.get_or_init(|| {
            let mut builder = default_propagator().to_builder();
            if !self.presets.is_empty() {
                builder = builder.presets(self.presets.iter().copied());
            }
            for name in self.adds {
                builder = builder.add(*name);
            }
            for name in self.excepts {
                builder = builder.except(*name);
            }
            // Every name was checked at compile time, and what is already out stays out; only a policy of more than
            // ten thousand headers gets here.
            builder.build().unwrap_or_else(|_| default_propagator().clone())
        })
    }
}

/// Fails to compile on an unknown preset.
#[expect(
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "the compiler evaluates it; a panic is its error message"
)]
pub const fn check_preset(name: &str) {
    let mut i = 0;
    while i < PRESETS.len() {
        if same(PRESETS[i].name.as_bytes(), name.as_bytes()) {
            return;
        }
        i += 1;
    }
    panic!("no preset has this name; the documentation of `onward::catalogue::PRESETS` lists them");
}

/// Fails to compile on a name that no policy may list (rule R9).
#[expect(
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "the compiler evaluates it; a panic is its error message"
)]
pub const fn check_pattern(pattern: &str) {
    let bytes = pattern.as_bytes();
    let name = match bytes.split_last() {
        Some((b'*', prefix)) => prefix,
        _ => bytes,
    };
    let mut i = 0;
    while i < name.len() {
        assert!(name[i] != b'*', "`*` stands only at the end, as in `x-canary-*`");
        i += 1;
    }
    assert!(refused::is_token(name), "this is not a header name; use letters, digits and `-`");
    if let Some(reason) = refused::reason(name) {
        panic!("{}", reason);
    }
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

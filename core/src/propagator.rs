//! The propagator: a compiled policy that is built once and shared freely.

use std::sync::{Arc, OnceLock};

use crate::capture;
use crate::carriers::Extract;
use crate::destination::{Destination, Placement};
use crate::explain::Explanation;
use crate::policy::{Policy, PropagatorBuilder};
use crate::{ForwardHeaders, PolicyError, PolicyErrorKind};

/// A compiled policy: which headers are forwarded, and where they may go.
///
/// Cloning shares it. [`Propagator::default`] is the preset `istio` with everything else at its default.
///
/// # Examples
///
/// ```
/// use onward::{Destination, Propagator};
///
/// let propagator = Propagator::builder().preset("zipkin").add("x-tenant-id").build()?;
/// let headers = propagator.extract(&[("X-B3-TraceId", "463ac35c9f6413ad"), ("X-Tenant-Id", "blue")]);
///
/// let mut outbound = http::HeaderMap::new();
/// headers.inject_to(&Destination::parse("http://ratings:9080/"), &mut outbound);
/// assert_eq!(outbound["x-b3-traceid"], "463ac35c9f6413ad");
/// assert_eq!(outbound["x-tenant-id"], "blue");
/// # Ok::<(), onward::PolicyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Propagator(Arc<Policy>);

impl Propagator {
    /// A builder with nothing said yet: the preset `istio`.
    pub fn builder() -> PropagatorBuilder {
        PropagatorBuilder::default()
    }

    /// Reads `ONWARD_PRESETS`, `ONWARD_HEADERS`, `ONWARD_MESH_HOSTS` and `ONWARD_TRACE_DESTINATIONS` from the
    /// environment of the process.
    ///
    /// # Errors
    ///
    /// The first mistake, with the variable, the offending token, and what to write instead.
    pub fn from_env() -> Result<Self, PolicyError> {
        Self::builder().variables(|name| std::env::var(name).ok()).build()
    }

    /// A builder that starts from this policy.
    ///
    /// ```
    /// let propagator = onward::Propagator::default();
    /// let without_cookies = propagator.to_builder().remove("cookie").build()?;
    /// # Ok::<(), onward::PolicyError>(())
    /// ```
    pub fn to_builder(&self) -> PropagatorBuilder {
        PropagatorBuilder::from_settings(self.0.settings.clone())
    }

    /// Captures the headers that the policy selects. What is there and cannot be forwarded is in
    /// [`ForwardHeaders::dropped`].
    #[inline]
    pub fn extract<C: Extract + ?Sized>(&self, carrier: &C) -> ForwardHeaders {
        ForwardHeaders::new(self.clone(), capture::capture(&self.0, carrier))
    }

    /// Where a destination lies, and why.
    #[must_use]
    pub fn place(&self, destination: &Destination<'_>) -> Placement {
        self.0.mesh.place(destination)
    }

    /// Whether a destination is in the mesh.
    #[must_use]
    pub fn in_mesh(&self, destination: &Destination<'_>) -> bool {
        self.place(destination).in_mesh()
    }

    /// Tells header by header what would become of an inbound request's headers on the way to `destination`, and
    /// which rule says so (rule R14). `outbound` is what the outbound request has already.
    ///
    /// # Examples
    ///
    /// ```
    /// use onward::{Destination, Outcome, Propagator};
    ///
    /// let partner = Destination::parse("https://api.example.com/");
    /// let inbound = [("x-request-id", "7f6c"), ("cookie", "session=1")];
    /// let outbound = http::HeaderMap::new();
    /// let explanation = Propagator::default().explain(&inbound, Some(&partner), &outbound);
    ///
    /// let outcomes: Vec<_> = explanation.rows().iter().map(|row| (row.name.as_str(), row.outcome)).collect();
    /// assert_eq!(outcomes, [("x-request-id", Outcome::Forwarded), ("cookie", Outcome::HeldBack)]);
    /// ```
    pub fn explain<I, O>(
        &self,
        inbound: &I,
        destination: Option<&Destination<'_>>,
        outbound: &O,
    ) -> Explanation
    where
        I: Extract + ?Sized,
        O: Extract + ?Sized,
    {
        self.extract(inbound).explain(destination, outbound)
    }

    pub(crate) fn from_policy(policy: Policy) -> Self {
        Self(Arc::new(policy))
    }

    #[inline]
    pub(crate) fn policy(&self) -> &Policy {
        &self.0
    }
}

static STANDARD: OnceLock<Propagator> = OnceLock::new();
static DEFAULT: OnceLock<Propagator> = OnceLock::new();

impl Default for Propagator {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "the catalogue's own preset; a test builds it")]
        STANDARD.get_or_init(|| Self::builder().build().expect("the default policy is valid")).clone()
    }
}

/// The propagator of this process: what [`set_default`] or [`init_from_env`] said, [`Propagator::default`] otherwise.
#[inline]
pub fn default_propagator() -> &'static Propagator {
    DEFAULT.get_or_init(Propagator::default)
}

/// Sets the propagator of this process, once and before its first use.
///
/// # Errors
///
/// [`PolicyErrorKind::DefaultAlreadySet`] if it was set, or used, before.
///
/// # Examples
///
/// ```
/// fn main() -> Result<(), onward::PolicyError> {
///     onward::set_default(onward::Propagator::builder().preset("w3c").add("x-tenant-id").build()?)?;
///     Ok(())
/// }
/// ```
pub fn set_default(propagator: Propagator) -> Result<(), PolicyError> {
    DEFAULT.set(propagator).map_err(|_| {
        PolicyError::new(
            PolicyErrorKind::DefaultAlreadySet,
            "set_default",
            "came after the default was set or used; call it once, first thing in `main`",
        )
    })
}

/// Sets the propagator of this process from the environment: the first line of a service's `main`.
///
/// # Errors
///
/// What is wrong with the environment, or [`PolicyErrorKind::DefaultAlreadySet`].
///
/// # Examples
///
/// ```
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     onward::init_from_env()?;
///     Ok(())
/// }
/// ```
pub fn init_from_env() -> Result<(), PolicyError> {
    set_default(Propagator::from_env()?)
}

/// Captures what the default policy forwards: the full set, to be put on outbound requests by hand.
///
/// # Examples
///
/// ```
/// let mut inbound = http::HeaderMap::new();
/// inbound.insert("x-request-id", "7f6c".parse()?);
/// let headers = onward::get_forward_headers(&inbound);
///
/// let mut outbound = http::HeaderMap::new();
/// headers.inject(&mut outbound);
/// assert_eq!(outbound["x-request-id"], "7f6c");
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
#[inline]
pub fn get_forward_headers<C: Extract + ?Sized>(carrier: &C) -> ForwardHeaders {
    default_propagator().extract(carrier)
}

//! Onward keeps distributed traces whole in a service mesh.
//!
//! Envoy sidecars report spans by themselves, but only the application can say which outbound call belongs to which
//! inbound request: it has to copy a set of headers from each inbound request to each outbound one. Onward does that
//! copying. It is a forwarder, not a tracer: it mints no spans and needs no SDK.
//!
//! ```
//! let inbound = [("x-request-id", "7f6c"), ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
//! let headers = onward::get_forward_headers(&inbound);
//!
//! let mut outbound = http::HeaderMap::new();
//! headers.inject(&mut outbound);
//! assert_eq!(outbound.len(), 2);
//! ```
//!
//! - [`Propagator`]: a compiled policy. [`extract`](Propagator::extract) reads a carrier.
//! - [`ForwardHeaders`]: what was captured. [`inject_to`](ForwardHeaders::inject_to) writes to a carrier.
//! - [`enter`], [`in_scope`], [`current`], [`carry`]: the current request's headers, without passing them around.
//! - [`catalogue`]: every header that Onward knows, and the presets.
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `macros` (default) | the attribute [`propagate`](macro@propagate) |
//! | `axum` | the extractor that the attribute adds to an axum handler |
//! | `reqwest` | `forward_headers()` on a request builder, and a middleware for a whole client |
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

// The attribute's expansion names this crate by its path, in here too.
extern crate self as onward;

mod block;
mod capture;
mod carriers;
pub mod catalogue;
mod destination;
mod error;
mod explain;
mod headers;
mod inject;
mod integrations;
mod plan;
mod policy;
mod private;
mod propagator;
mod scope;
mod shape;
mod table;

pub use capture::DropReason;
pub use carriers::{Extract, FromValue, Inject, Line, Name, Value};
pub use destination::{Destination, Placement};
pub use error::{PolicyError, PolicyErrorKind};
pub use explain::{Explanation, Outcome, Row};
pub use headers::ForwardHeaders;
pub use plan::{Plan, PlanHeader, PlanRelative};
pub use policy::{PropagatorBuilder, TraceDestinations};
pub use propagator::{Propagator, default_propagator, get_forward_headers, init_from_env, set_default};
pub use scope::{InScope, Scope, carry, carry_fn, current, enter, in_scope, inject_to};

#[cfg(feature = "macros")]
pub use onward_macros::propagate;

#[cfg(feature = "reqwest")]
pub use integrations::reqwest;

/// What the attribute's expansion calls; anything in it may change in any version.
#[doc(hidden)]
pub mod __private {
    pub use crate::private::*;
}

/// The guide's programs, compiled and run.
#[cfg(all(doctest, feature = "axum", feature = "reqwest"))]
#[doc = include_str!("../../docs/rust.md")]
struct Guide;

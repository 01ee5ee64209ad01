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
//! - [`SpanContext`]: the span of a tracer that runs beside Onward, to be the outbound requests' parent.
//! - [`enter`], [`in_scope`], [`current`], [`carry`]: the current request's headers, without passing them around.
//! - [`catalogue`]: every header that Onward knows, and the presets.
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `macros` (default) | the attribute [`propagate`](macro@propagate) |
//! | `axum` | the extractor that the attribute adds to an axum handler |
//! | `actix` | a middleware for actix-web, and the extractor that the attribute adds to a handler |
//! | `awc` | a middleware for a whole awc client |
//! | `poem` | a middleware, and the extractor that the attribute adds to a handler |
//! | `rocket` | what covers mounted routes, and the request guard that the attribute adds to a handler |
//! | `reqwest` | `forward_headers()` on a request builder, and a middleware for a whole client |
//! | `tower` | a layer that covers a whole router or server |
//! | `hyper` | the same around hyper's own services |
//! | `tonic` | gRPC metadata as a carrier, an interceptor and a layer for clients |
//! | `salvo` | a hoop for a whole router, and the extractor that the attribute adds to a handler |
//! | `warp`, `lambda` | the layer, with what these frameworks need said |
//! | `hyper-util` | a hyper-util client that forwards by itself |
//! | `ureq` | a ureq agent that forwards by itself |
//! | `lapin` | lapin's `FieldTable` as a carrier of message headers |
//! | `opentelemetry` | its current span as the parent of what goes out, and a propagator for what its own leave out |
//! | `stream` | `carry_stream` |
//! | `http-body` | `carry_body` |
//! | `diagnostics` | counts outbound calls without a scope |
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

// The attribute's expansion names this crate by its path, in here too.
extern crate self as onward;

mod block;
mod capture;
#[cfg(any(feature = "stream", feature = "http-body"))]
mod carried;
mod carriers;
pub mod catalogue;
mod destination;
#[cfg(feature = "diagnostics")]
pub mod diagnostics;
mod error;
mod explain;
mod formats;
mod headers;
mod ids;
mod inject;
mod integrations;
mod outbound;
mod plan;
mod policy;
mod private;
mod propagated;
mod propagator;
mod reparent;
mod scope;
mod shape;
mod span;
mod table;

pub use capture::DropReason;
pub use carriers::{Extract, FromValue, Inject, Line, Name, Value};
pub use destination::{Destination, Placement, grpc_authorities};
pub use error::{PolicyError, PolicyErrorKind};
pub use explain::{Explanation, Outcome, Row};
pub use headers::ForwardHeaders;
pub use outbound::{OutboundRequest, inject_into};
pub use plan::{Plan, PlanHeader, PlanRelative};
pub use policy::{PropagatorBuilder, TraceDestinations};
pub use propagated::{propagated, propagated_by, propagated_fn};
pub use propagator::{Propagator, default_propagator, get_forward_headers, init_from_env, set_default};
pub use scope::{InScope, Scope, carry, carry_fn, current, enter, in_scope, inject_to};
pub use span::SpanContext;

#[cfg(feature = "http-body")]
pub use carried::{carry_body, in_scope_body};
#[cfg(feature = "stream")]
pub use carried::{carry_stream, in_scope_stream};

#[cfg(feature = "macros")]
pub use onward_macros::propagate;

#[cfg(feature = "actix")]
pub use integrations::actix;
#[cfg(feature = "awc")]
pub use integrations::awc;
#[cfg(feature = "hyper")]
pub use integrations::hyper;
#[cfg(feature = "hyper-util")]
pub use integrations::hyper_util;
#[cfg(feature = "lambda")]
pub use integrations::lambda;
#[cfg(feature = "opentelemetry")]
pub use integrations::opentelemetry;
#[cfg(feature = "poem")]
pub use integrations::poem;
#[cfg(feature = "reqwest")]
pub use integrations::reqwest;
#[cfg(feature = "rocket")]
pub use integrations::rocket;
#[cfg(feature = "salvo")]
pub use integrations::salvo;
#[cfg(feature = "tonic")]
pub use integrations::tonic;
#[cfg(feature = "tower")]
pub use integrations::tower;
#[cfg(feature = "ureq")]
pub use integrations::ureq;
#[cfg(feature = "warp")]
pub use integrations::warp;

/// What the attribute's expansion calls; anything in it may change in any version.
#[doc(hidden)]
pub mod __private {
    pub use crate::private::*;
}

/// The guide's programs, compiled and run.
#[cfg(all(doctest, feature = "axum", feature = "reqwest"))]
#[doc = include_str!("../../docs/rust.md")]
#[doc = include_str!("../README.md")]
struct Guide;

//! actix-web: a middleware for a whole app, and the extractor that `#[propagate]` adds to a handler without a request.
//!
//! ```
//! use actix_web::{App, web};
//!
//! async fn reviews() -> String {
//!     format!("{} headers go on", onward::current().len())
//! }
//!
//! let app = App::new().wrap(onward::actix::Forward::new()).route("/reviews", web::get().to(reviews));
//! ```
//!
//! Or on a single handler, above or below a route such as `#[get("/reviews")]`, with a request among its arguments or
//! without:
//!
//! ```
//! use actix_web::{App, HttpRequest, web};
//!
//! #[onward::propagate]
//! async fn reviews() -> String {
//!     format!("{} headers go on", onward::current().len())
//! }
//!
//! #[onward::propagate]
//! async fn ratings(request: HttpRequest) -> String {
//!     format!("{}: {} headers go on", request.path(), onward::current().len())
//! }
//!
//! let app = App::new()
//!     .route("/reviews", web::get().to(reviews))
//!     .route("/ratings", web::get().to(ratings));
//! ```
//!
//! # Limitations
//!
//! - The middleware covers extractors and the handler; the attribute covers the handler's body.
//! - A response body that is streamed is polled after the handler, outside of its scope: take the scope
//!   along with `carry_stream` (feature `stream`).
//! - actix keeps no order between headers of different names, so headers that one prefix rule selects go on in any
//!   order. Lines of one name stay in order.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::{Payload, Service, ServiceRequest, Transform, forward_ready};
use actix_web::{FromRequest, HttpRequest};

use crate::private::{Captured, HandlerPolicy};
use crate::scope::InScope;
use crate::{Extract, Line, Propagator, default_propagator, in_scope};

impl Extract for HttpRequest {
    #[inline]
    fn lines<'a>(&'a self, line: impl FnMut(Line<'a>)) {
        self.headers().lines(line);
    }
}

impl Extract for ServiceRequest {
    #[inline]
    fn lines<'a>(&'a self, line: impl FnMut(Line<'a>)) {
        self.headers().lines(line);
    }
}

impl<P: HandlerPolicy> FromRequest for Captured<P> {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::from_carrier(request)))
    }
}

/// Captures each request's headers, and holds them in scope while the handler behind it runs.
///
/// # Examples
///
/// ```
/// use actix_web::{App, web};
///
/// let app = App::new()
///     .wrap(onward::actix::Forward::new())
///     .route("/", web::get().to(|| async { format!("{} headers go on", onward::current().len()) }));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Forward {
    propagator: Option<Propagator>,
}

impl Forward {
    /// Captures by the process's default policy.
    #[must_use]
    pub const fn new() -> Self {
        Self { propagator: None }
    }

    /// Captures by a policy of its own.
    #[must_use]
    pub const fn with_propagator(propagator: Propagator) -> Self {
        Self { propagator: Some(propagator) }
    }
}

impl<S: Service<ServiceRequest>> Transform<S, ServiceRequest> for Forward {
    type Response = S::Response;
    type Error = S::Error;
    type Transform = ForwardService<S>;
    type InitError = ();
    type Future = Ready<Result<ForwardService<S>, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(ForwardService { service, propagator: self.propagator.clone() }))
    }
}

/// What [`Forward`] makes of a service.
#[derive(Debug)]
pub struct ForwardService<S> {
    service: S,
    propagator: Option<Propagator>,
}

impl<S: Service<ServiceRequest>> Service<ServiceRequest> for ForwardService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = InScope<S::Future>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let headers = self.propagator.as_ref().unwrap_or_else(|| default_propagator()).extract(&request);
        // Services behind it may do their work when they are called, and not when their future is polled.
        let _scope = crate::enter(headers.clone());
        in_scope(headers, self.service.call(request))
    }
}

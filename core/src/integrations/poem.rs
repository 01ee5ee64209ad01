//! poem: a middleware for a whole app, and the extractor that `#[propagate]` adds to a handler without a request.
//!
//! ```
//! use poem::{EndpointExt, Route, get, handler};
//!
//! #[handler]
//! async fn reviews() -> String {
//!     format!("{} headers go on", onward::current().len())
//! }
//!
//! let app = Route::new().at("/reviews", get(reviews)).with(onward::poem::Forward::new());
//! ```
//!
//! On a single handler the attribute stands above `#[handler]`, so that poem sees the argument that it adds:
//!
//! ```
//! # mod handlers {
//! # use poem::handler;
//! #[onward::propagate]
//! #[handler]
//! async fn reviews() -> String {
//!     format!("{} headers go on", onward::current().len())
//! }
//! # }
//! ```
//!
//! # Limitations
//!
//! - The middleware covers extractors and the handler; the attribute covers the handler's body.
//! - A response body that is streamed is polled after the handler, outside of its scope.

use poem::{Endpoint, FromRequest, Middleware, Request, RequestBody, Result};

use crate::private::{Captured, HandlerPolicy};
use crate::{Extract, Line, Propagator, default_propagator, in_scope};

impl Extract for Request {
    #[inline]
    fn lines<'a>(&'a self, line: impl FnMut(Line<'a>)) {
        self.headers().lines(line);
    }
}

impl<'a, P: HandlerPolicy> FromRequest<'a> for Captured<P> {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> Result<Self> {
        Ok(Self::from_carrier(request))
    }
}

/// Captures each request's headers, and holds them in scope while the endpoint behind it runs.
///
/// # Examples
///
/// ```
/// use poem::{EndpointExt, Route, endpoint::make_sync};
///
/// let headers_go_on = make_sync(|_| onward::current().len().to_string());
/// let app = Route::new().at("/", headers_go_on).with(onward::poem::Forward::new());
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

impl<E: Endpoint> Middleware<E> for Forward {
    type Output = ForwardEndpoint<E>;

    fn transform(&self, endpoint: E) -> ForwardEndpoint<E> {
        ForwardEndpoint { endpoint, propagator: self.propagator.clone() }
    }
}

/// What [`Forward`] makes of an endpoint.
#[derive(Clone, Debug)]
pub struct ForwardEndpoint<E> {
    endpoint: E,
    propagator: Option<Propagator>,
}

impl<E: Endpoint> Endpoint for ForwardEndpoint<E> {
    type Output = E::Output;

    async fn call(&self, request: Request) -> Result<E::Output> {
        let headers = self.propagator.as_ref().unwrap_or_else(|| default_propagator()).extract(&request);
        in_scope(headers, self.endpoint.call(request)).await
    }
}

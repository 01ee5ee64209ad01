//! tower: a layer that captures each request's headers and holds them in scope while the inner service handles it.
//!
//! One line covers a whole axum router, a tonic server, or anything else that is a service of `http::Request`:
//!
//! ```
//! # fn example() -> axum::Router {
//! use axum::{Router, routing::get};
//!
//! async fn reviews() -> String {
//!     format!("{} headers go on", onward::current().len())
//! }
//!
//! Router::new().route("/reviews", get(reviews)).layer(onward::tower::ForwardLayer::new())
//! # }
//! ```
//!
//! # Limitations
//!
//! The scope ends with the service's future, that is when there is a response. A response body that calls others while
//! it is streamed is polled later, and takes the scope along with `carry_stream` or `carry_body` (features `stream` and
//! `http-body`).

use std::task::{Context, Poll};

use http::Request;
use tower_layer::Layer;
use tower_service::Service;

pub use super::tower_client::{Inject, InjectLayer};
use crate::{ForwardHeaders, InScope, Propagator, default_propagator, enter, in_scope};

/// Puts [`Forward`] around a service.
#[derive(Clone, Debug, Default)]
pub struct ForwardLayer {
    propagator: Option<Propagator>,
}

impl ForwardLayer {
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

impl<S> Layer<S> for ForwardLayer {
    type Service = Forward<S>;

    fn layer(&self, inner: S) -> Forward<S> {
        Forward { inner, propagator: self.propagator.clone() }
    }
}

/// A service whose every request is handled in the scope of its own headers.
///
/// Its future is that of the inner service, not boxed.
///
/// # Examples
///
/// ```
/// use http::{Request, Response};
/// use tower::{ServiceExt, service_fn};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let handler = service_fn(|_: Request<()>| async {
///     Ok::<_, std::convert::Infallible>(Response::new(onward::current().len()))
/// });
/// let request = Request::builder().header("x-request-id", "7f6c").body(())?;
/// let response = onward::tower::Forward::new(handler).oneshot(request).await?;
/// assert_eq!(*response.body(), 1);
/// # Ok(())
/// # })
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Forward<S> {
    inner: S,
    /// None for the default one, which may be set after the service is made.
    propagator: Option<Propagator>,
}

impl<S> Forward<S> {
    /// Wraps a service, by the process's default policy.
    #[must_use]
    pub const fn new(inner: S) -> Self {
        Self { inner, propagator: None }
    }

    /// The service inside.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    pub(crate) fn capture<B>(&self, request: &Request<B>) -> ForwardHeaders {
        self.propagator.as_ref().unwrap_or_else(|| default_propagator()).extract(request)
    }
}

impl<S, B> Service<Request<B>> for Forward<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = InScope<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> InScope<S::Future> {
        let headers = self.capture(&request);
        // A service may do its work while it makes the future.
        let scope = enter(headers.clone());
        let future = self.inner.call(request);
        drop(scope);
        in_scope(headers, future)
    }
}

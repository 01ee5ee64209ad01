//! tower, on the client's side: a layer that writes the current headers to each outbound request.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{HeaderMap, HeaderName};
use tower_layer::Layer;
use tower_service::Service;

use crate::OutboundRequest;

/// Puts [`Inject`] around a client that is a tower service.
///
/// # Examples
///
/// ```
/// use http::{Request, Response};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// // Any client: hyper-util's, reqwest's, tonic's channel.
/// let client = service_fn(|request: Request<()>| async move {
///     Ok::<_, std::convert::Infallible>(Response::new(request.headers().len()))
/// });
/// let client = ServiceBuilder::new().layer(onward::tower::InjectLayer::new()).service(client);
///
/// let headers = onward::get_forward_headers(&[("x-request-id", "7f6c")]);
/// let call = client.oneshot(Request::get("http://ratings:9080/ratings/0").body(())?);
/// assert_eq!(*onward::in_scope(headers, call).await?.body(), 1);
/// # Ok(())
/// # })
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct InjectLayer {
    excepts: Arc<[HeaderName]>,
}

impl InjectLayer {
    /// Writes the current headers that may go where a request goes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Leaves a header out: one that the client inside sets by default.
    #[must_use]
    pub fn except(mut self, name: HeaderName) -> Self {
        self.excepts = self.excepts.iter().cloned().chain([name]).collect();
        self
    }

    /// Leaves out what the caller has set on a request, for the chain of redirects that it begins: a redirect to another
    /// origin takes the caller's credentials off, which does not make them Onward's to set (rule R6).
    #[cfg(feature = "redirects")]
    pub(crate) fn beside(&self, callers: &HeaderMap) -> Self {
        Self { excepts: self.excepts.iter().chain(callers.keys()).cloned().collect() }
    }

    pub(crate) fn write<R: OutboundRequest<Headers = HeaderMap>>(&self, request: &mut R) {
        request.with_destination(|destination, headers| {
            let has = |name: &&HeaderName| headers.contains_key(*name);
            let excepts: Vec<_> = self.excepts.iter().filter(|name| !has(name)).collect();
            crate::inject_to(destination, headers);
            for name in excepts {
                headers.remove(name);
            }
        });
    }
}

impl<S> Layer<S> for InjectLayer {
    type Service = Inject<S>;

    fn layer(&self, inner: S) -> Inject<S> {
        Inject { inner, inject: self.clone() }
    }
}

/// A client whose every request carries the current headers that may go to its destination.
///
/// They are those of the scope in which it is called. Its future is that of the client inside, not boxed.
///
/// # Redirects
///
/// A layer that follows redirects stands outside, such as tower-http's `FollowRedirect`: it keeps the caller's own
/// headers and calls this service once for each hop, so the headers are chosen anew for each destination. A client
/// inside that follows redirects by itself would take all headers along; switch that off.
#[derive(Clone, Debug)]
pub struct Inject<S> {
    inner: S,
    inject: InjectLayer,
}

impl<S> Inject<S> {
    /// Wraps a client.
    #[must_use]
    pub fn new(inner: S) -> Self {
        InjectLayer::new().layer(inner)
    }

    /// The client inside.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }
}

impl<S, R> Service<R> for Inject<S>
where
    S: Service<R>,
    R: OutboundRequest<Headers = HeaderMap>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: R) -> S::Future {
        self.inject.write(&mut request);
        self.inner.call(request)
    }
}

/// The guide's page, compiled and run.
#[cfg(all(doctest, feature = "macros"))]
#[doc = include_str!("../../../docs/clients/tower.md")]
struct Page;

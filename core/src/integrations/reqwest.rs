//! reqwest: a client that forwards by itself, and a method for single requests.
//!
//! Wrap a client once:
//!
//! ```
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let http = onward::reqwest::client(reqwest::Client::builder())?;
//! // In a handler under `#[onward::propagate]`, `http.get(url).send()` carries its request's headers.
//! # Ok(())
//! # }
//! ```
//!
//! `reqwest::Client` is a tower service too, of `reqwest::Request`: [`InjectLayer`](crate::tower::InjectLayer) goes
//! around it. Switch its own redirects off (`redirect::Policy::none()`): it would take all headers along.
//!
//! # Limitations
//!
//! reqwest shows nobody the headers of `ClientBuilder::default_headers`, and a request's own headers win over them. If
//! a client sets a header by default that the policy forwards too (`authorization`, say), take it out of what is
//! forwarded with [`Forward::except`].

use std::sync::{Mutex, PoisonError};
use std::{fmt, mem};

use ::reqwest::{Body, ClientBuilder, Request, RequestBuilder, Response, ResponseBuilderExt, Url, redirect};
use http::header::{HeaderMap, HeaderName, LOCATION};
use reqwest_middleware::{ClientWithMiddleware, Error, Middleware, Next};
use tower::{Layer, ServiceExt};
use tower_http::follow_redirect::FollowRedirect;

use super::redirects::Redirects;
use super::tower_client::InjectLayer;
use crate::{Destination, OutboundRequest};

/// Builds a client whose every request carries the current headers that may go to its destination.
///
/// Redirects are followed as reqwest does by default (up to ten), and the headers are chosen anew for each.
///
/// # Errors
///
/// What `builder.build()` reports.
pub fn client(builder: ClientBuilder) -> ::reqwest::Result<ClientWithMiddleware> {
    // Followed by the middleware: reqwest itself would take headers along to wherever a redirect points.
    let client = builder.redirect(redirect::Policy::none()).build()?;
    Ok(reqwest_middleware::ClientBuilder::new(client).with(Forward::new()).build())
}

/// A redirect policy that follows up to ten redirects, and stops at one that leads out of the mesh: the response is
/// then the redirect itself. For clients whose requests use [`RequestBuilderExt::forward_headers`].
pub fn redirect_policy() -> redirect::Policy {
    redirect::Policy::custom(|attempt| {
        let propagator = crate::default_propagator();
        let in_mesh = |url: &Url| propagator.in_mesh(&Destination::parse(url.as_str()));
        if attempt.previous().len() > 10 {
            attempt.error("too many redirects")
        } else if attempt.previous().last().is_some_and(in_mesh) && !in_mesh(attempt.url()) {
            attempt.stop()
        } else {
            attempt.follow()
        }
    })
}

/// Forwards the current headers on a single request.
pub trait RequestBuilderExt {
    /// Adds the current headers that may go to the request's destination. What the request has already wins.
    ///
    /// The client follows redirects by its own policy, and takes all headers along but `authorization` and `cookie`.
    /// Give it [`redirect_policy`], or use a [`client`] that chooses the headers anew for each redirect.
    ///
    /// Call it last, so that it sees what the caller has set. A builder that holds an error still fails when it is
    /// sent, with a less exact message.
    #[must_use]
    fn forward_headers(self) -> Self;
}

impl RequestBuilderExt for RequestBuilder {
    fn forward_headers(self) -> Self {
        let (client, request) = self.build_split();
        match request {
            Ok(mut request) => {
                crate::inject_into(&mut request);
                Self::from_parts(client, request)
            }
            // reqwest takes no error back: this builder reports one of its own when it is sent.
            Err(_) => client.get(""),
        }
    }
}

impl OutboundRequest for Request {
    type Headers = HeaderMap;

    fn with_destination<R>(&mut self, write: impl FnOnce(&Destination<'_>, &mut HeaderMap) -> R) -> R {
        // Taken out and put back: the destination borrows from the request while the headers are written to.
        let mut headers = mem::take(self.headers_mut());
        let result = write(&Destination::parse(self.url().as_str()), &mut headers);
        *self.headers_mut() = headers;
        result
    }
}

/// The middleware of [`client`], for clients that are put together by hand.
///
/// The inner client must follow no redirects (`redirect::Policy::none()`): the middleware follows them, choosing the
/// headers anew for each destination.
///
/// # Examples
///
/// ```
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let inner = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
/// let http = reqwest_middleware::ClientBuilder::new(inner).with(onward::reqwest::Forward::new()).build();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Forward {
    inject: InjectLayer,
}

impl Forward {
    /// Forwards the current headers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Leaves a header out: one that the client itself sets by default.
    #[must_use]
    pub fn except(mut self, name: HeaderName) -> Self {
        self.inject = self.inject.except(name);
        self
    }
}

#[async_trait::async_trait]
impl Middleware for Forward {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut http::Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        // Hardly an answer leads elsewhere: what following takes is done when one does.
        let mut first = None;
        if let Some(mut sent) = request.try_clone() {
            self.inject.write(&mut sent);
            let response = next.clone().run(sent, extensions).await?;
            if !response.headers().contains_key(LOCATION) {
                return Ok(response);
            }
            first = Some(response);
        }
        let first = Mutex::new(first);
        let timeout = request.timeout().copied();
        let request = http::Request::<Body>::try_from(request)?;
        let inject = self.inject.beside(request.headers());
        let extensions = &*extensions;
        let send = tower::service_fn(|request: http::Request<Body>| {
            let next = next.clone();
            let mut extensions = extensions.clone();
            let first = first.lock().unwrap_or_else(PoisonError::into_inner).take();
            async move {
                let response = if let Some(first) = first {
                    first
                } else {
                    let mut request = Request::try_from(request)?;
                    *request.timeout_mut() = timeout;
                    next.run(request, &mut extensions).await?
                };
                let url = response.url().clone();
                let mut response = http::Response::<Body>::from(response);
                response.extensions_mut().insert(Hop(url));
                Ok::<_, Error>(response)
            }
        });
        let send = inject.layer(send);
        let response = FollowRedirect::with_policy(send, redirects()).oneshot(request).await?;
        Ok(with_url(response))
    }
}

/// Up to ten, as reqwest's own default.
fn redirects() -> Redirects<Body, Error> {
    let replay = |body: &Body| body.as_bytes().map(|bytes| Body::from(bytes.to_vec()));
    Redirects::new(10, replay, || Some(Error::middleware(TooManyRedirects)))
}

/// The URL that answered.
#[derive(Clone)]
struct Hop(Url);

/// Back to reqwest's response, which finds its URL in an extension of its own.
fn with_url(mut response: http::Response<Body>) -> Response {
    if let Some(Hop(url)) = response.extensions_mut().remove::<Hop>()
        && let Ok(marked) = http::Response::builder().url(url).body(())
    {
        response.extensions_mut().extend(marked.into_parts().0.extensions);
    }
    Response::from(response)
}

#[derive(Debug)]
struct TooManyRedirects;

impl fmt::Display for TooManyRedirects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too many redirects")
    }
}

impl std::error::Error for TooManyRedirects {}

/// The guide's page, compiled and run.
#[cfg(all(doctest, feature = "macros"))]
#[doc = include_str!("../../../docs/clients/reqwest.md")]
struct Page;

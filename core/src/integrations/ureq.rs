//! ureq: an agent whose every request carries the current headers that may go to its destination.
//!
//! ```
//! use std::time::Duration;
//!
//! let agent = onward::ureq::agent(|config| {
//!     config.timeout_global(Some(Duration::from_secs(5))).build().into()
//! });
//! // In a handler under `#[onward::propagate]`, `agent.get(url).call()` carries its request's headers.
//! ```
//!
//! ureq blocks. Called on a thread of its own, it gets there with [`carry_fn`](crate::carry_fn):
//! `tokio::task::spawn_blocking(onward::carry_fn(move || agent.get(url).call()))`.
//!
//! # Limitations
//!
//! - `timeout_global` counts anew for each redirect.
//! - `max_redirects` counts as the agent has it, not a single request; `save_redirect_history` keeps the last hop.
//! - A redirect that would have to send a body again is itself the answer.
//! - With ureq's feature `cookies`, the cookie jar of the agent is not the one that requests use.

use std::cell::Cell;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use ::ureq::config::{Config, ConfigBuilder, RedirectAuthHeaders};
use ::ureq::middleware::{Middleware, MiddlewareNext};
use ::ureq::typestate::AgentScope;
use ::ureq::{Agent, AsSendBody, Body, Error, SendBody};
use http::{Method, Request, Response, header};
use http_body::{Frame, SizeHint};
use tower::{Layer, ServiceExt};
use tower_http::follow_redirect::FollowRedirect;

use super::redirects::Redirects;
use super::tower_client::InjectLayer;

/// Builds an agent whose every request carries the current headers that may go to its destination.
///
/// `make` is called twice: ureq takes headers along to wherever a redirect leads, so the agent that it gives hands
/// each hop to another one that follows none, and the headers are chosen anew. The limits and the errors are those of
/// the agent's configuration.
///
/// # Examples
///
/// With a resolver of one's own:
///
/// ```
/// use ureq::Agent;
/// use ureq::unversioned::resolver::DefaultResolver;
/// use ureq::unversioned::transport::DefaultConnector;
///
/// let agent = onward::ureq::agent(|config| {
///     Agent::with_parts(config.build(), DefaultConnector::default(), DefaultResolver::default())
/// });
/// ```
pub fn agent(make: impl Fn(ConfigBuilder<AgentScope>) -> Agent) -> Agent {
    let hops = make(Config::builder());
    make(Config::builder().middleware(Follow { hops }))
}

/// Adds the headers and follows redirects. It ends the chain: what a user has added runs for each hop.
struct Follow {
    hops: Agent,
}

impl Middleware for Follow {
    fn handle(&self, request: Request<SendBody>, _: MiddlewareNext) -> Result<Response<Body>, Error> {
        let config = self.hops.config();
        let keeps_authorization = config.redirect_auth_headers() == RedirectAuthHeaders::SameHost;
        let too_many: fn() -> Option<Error> =
            if config.max_redirects_will_error() { || Some(Error::TooManyRedirects) } else { || None };
        let (mut parts, body) = request.into_parts();
        // What the request says about itself holds for every hop, also for one to another origin.
        let extensions = std::mem::take(&mut parts.extensions);
        let sends = matches!(parts.method, Method::POST | Method::PUT | Method::PATCH);
        let inject = InjectLayer::new().beside(&parts.headers);
        let request = Request::from_parts(parts, Upload { body: Some(body), sends });
        let first = Cell::new(true);
        let send = tower::service_fn(|request: Request<Upload<'_>>| {
            let (mut parts, Upload { body, .. }) = request.into_parts();
            parts.extensions = extensions.clone();
            std::future::ready(match body {
                Some(body) => self.hop(Request::from_parts(parts, body)),
                None => self.hop(Request::from_parts(parts, ())),
            })
        });
        let send = inject.layer(send).map_request(|mut request: Request<Upload<'_>>| {
            // What the caller has set; the headers that Onward adds come later.
            if !first.replace(false) && !keeps_authorization {
                request.headers_mut().remove(header::AUTHORIZATION);
            }
            request
        });
        let limit = config.max_redirects() as usize;
        let redirects = Redirects::new(limit, Upload::again, too_many);
        run(FollowRedirect::with_policy(send, redirects).oneshot(request))
    }
}

impl Follow {
    fn hop<S: AsSendBody>(&self, request: Request<S>) -> Result<Response<Body>, Error> {
        let request = self.hops.configure_request(request);
        self.hops.run(request.max_redirects(0).max_redirects_will_error(false).build())
    }
}

/// Runs a future that waits for nothing: each poll makes a blocking call.
fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

/// ureq's request body, in the form that tower-http asks for. It reads none of it.
#[derive(Default)]
struct Upload<'a> {
    /// None behind a redirect.
    body: Option<SendBody<'a>>,
    /// The method sends one.
    sends: bool,
}

impl Upload<'_> {
    /// A body is sent once; a redirect that would have to send it again is itself the answer.
    fn again(&self) -> Option<Self> {
        (!self.sends).then(Self::default)
    }
}

impl http_body::Body for Upload<'_> {
    type Data = bytes::Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<bytes::Bytes>, Error>>> {
        Poll::Ready(None)
    }

    fn size_hint(&self) -> SizeHint {
        if self.sends { SizeHint::default() } else { SizeHint::with_exact(0) }
    }
}

/// The guide's page, compiled and run.
#[cfg(all(doctest, feature = "macros"))]
#[doc = include_str!("../../../docs/clients/ureq.md")]
struct Page;

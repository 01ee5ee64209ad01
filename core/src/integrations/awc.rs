//! awc: a client that forwards by itself.
//!
//! ```
//! let http = awc::Client::builder().wrap(onward::awc::Forward::new()).finish();
//! // In a handler under `#[onward::propagate]`, `http.get(url).send()` carries its request's headers.
//! ```
//!
//! awc follows redirects outside of this middleware, so that the headers are chosen anew for each of them.
//!
//! # Limitations
//!
//! The headers are chosen when `send` is called, and again when a redirect arrives. A request that is sent in the
//! handler and awaited elsewhere takes the scope along with [`carry`](crate::carry).

use actix_http::RequestHeadType;
use actix_http::header::HeaderMap;
use actix_service::{Service, forward_ready};
use awc::ConnectRequest;
use awc::middleware::Transform;

use crate::{Destination, Extract, Inject, Line, Name, Value, inject_to};

/// Adds the current headers that may go to a request's destination. What the request has already wins.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let http = awc::Client::builder().wrap(onward::awc::Forward::new()).finish();
/// let ratings = http.get("http://ratings:9080/ratings/0").send().await?.body().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Forward;

impl Forward {
    /// Forwards the current headers.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl<S: Service<ConnectRequest>> Transform<S, ConnectRequest> for Forward {
    type Transform = ForwardService<S>;

    fn new_transform(self, service: S) -> ForwardService<S> {
        ForwardService { service }
    }
}

/// What [`Forward`] makes of a client's connector.
#[derive(Debug)]
pub struct ForwardService<S> {
    service: S,
}

impl<S: Service<ConnectRequest>> Service<ConnectRequest> for ForwardService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    forward_ready!(service);

    fn call(&self, mut request: ConnectRequest) -> Self::Future {
        match &mut request {
            ConnectRequest::Client(RequestHeadType::Owned(head), ..) | ConnectRequest::Tunnel(head, _) => {
                let destination = head.uri.to_string();
                inject_to(&Destination::parse(&destination), &mut head.headers);
            }
            ConnectRequest::Client(RequestHeadType::Rc(head, extra), ..) => {
                let destination = head.uri.to_string();
                let extra = extra.get_or_insert_with(HeaderMap::new);
                inject_to(&Destination::parse(&destination), &mut Frozen { head: &head.headers, extra });
            }
        }
        self.service.call(request)
    }
}

/// A request that may be sent many times: its own headers, and those of this time, which replace them by name.
struct Frozen<'a> {
    head: &'a HeaderMap,
    extra: &'a mut HeaderMap,
}

impl Extract for Frozen<'_> {
    fn lines<'a>(&'a self, mut line: impl FnMut(Line<'a>)) {
        self.extra.lines(&mut line);
        self.head.lines(&mut line);
    }
}

impl Inject for Frozen<'_> {
    const REPEATS: bool = true;

    fn insert(&mut self, name: Name<'_>, value: Value<'_>) {
        Inject::insert(self.extra, name, value);
    }

    fn append(&mut self, name: Name<'_>, value: Value<'_>) {
        Inject::append(self.extra, name, value);
    }
}

#[cfg(test)]
mod tests {
    use actix_http::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn a_frozen_request_gets_the_headers_beside_its_own_which_win() {
        let mut head = HeaderMap::new();
        head.insert(HeaderName::from_static("tracestate"), HeaderValue::from_static("mine=1"));
        let mut extra = HeaderMap::new();
        extra.insert(HeaderName::from_static("cookie"), HeaderValue::from_static("mine=2"));
        let inbound = [("x-request-id", "7f6c"), ("traceparent", "00-01-02-01"), ("cookie", "a=b")];
        let _scope = crate::enter(crate::get_forward_headers(&inbound));
        let mut frozen = Frozen { head: &head, extra: &mut extra };
        inject_to(&Destination::parse("http://ratings:9080/"), &mut frozen);
        assert_eq!(extra.len(), 2);
        assert_eq!(extra.get("cookie").unwrap(), "mine=2");
        assert_eq!(extra.get("x-request-id").unwrap(), "7f6c");
    }
}

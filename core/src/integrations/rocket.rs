//! Rocket: what covers mounted routes, and the request guard that `#[propagate]` adds to a handler.
//!
//! ```
//! use rocket::{get, routes};
//!
//! #[get("/reviews")]
//! async fn reviews() -> String {
//!     format!("{} headers go on", onward::current().len())
//! }
//!
//! let server = rocket::build().mount("/", onward::rocket::Forward::new().routes(routes![reviews]));
//! ```
//!
//! On a single handler the attribute stands above the route, so that Rocket sees the request guard that it adds:
//!
//! ```
//! # mod handlers {
//! # use rocket::get;
//! #[onward::propagate]
//! #[get("/reviews")]
//! async fn reviews() -> String {
//!     format!("{} headers go on", onward::current().len())
//! }
//! # }
//! ```
//!
//! # Limitations
//!
//! - There is no fairing. A fairing of Rocket sees a request before its handler runs and the response after it, but not
//!   the handler's future, so it can hold nothing in scope: routes are wrapped where they are mounted.
//! - What is wrapped covers guards and the handler; the attribute covers the handler's body. Catchers and the bodies of
//!   streamed responses run outside of the scope.
//! - Rocket itself drops header values that are not UTF-8 before anybody sees them.

use std::borrow::Cow;
use std::convert::Infallible;

use ::rocket::request::{FromRequest, Outcome};
use ::rocket::route::{self, Handler};
use ::rocket::{Data, Request, Route, async_trait};

use crate::private::{Captured, HandlerPolicy};
use crate::{Extract, Line, Propagator, default_propagator, in_scope};

impl Extract for Request<'_> {
    #[inline]
    fn lines<'a>(&'a self, line: impl FnMut(Line<'a>)) {
        self.headers().lines(line);
    }
}

impl Extract for ::rocket::http::HeaderMap<'_> {
    #[inline]
    fn lines<'a>(&'a self, mut line: impl FnMut(Line<'a>)) {
        for header in self.iter() {
            // The map lends its text; what is owned would be no part of it.
            if let (Cow::Borrowed(name), Cow::Borrowed(value)) = (header.name.into_cow(), header.value) {
                line(Line::new(name.as_bytes(), value.as_bytes()));
            }
        }
    }
}

#[async_trait]
impl<'r, P: HandlerPolicy> FromRequest<'r> for Captured<P> {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Infallible> {
        Outcome::Success(Self::from_carrier(request))
    }
}

/// Captures each request's headers, and holds them in scope while the routes that it has wrapped run.
///
/// # Examples
///
/// ```
/// # use rocket::{get, routes};
/// # #[get("/")] fn index() -> String { onward::current().len().to_string() }
/// let server = rocket::build().mount("/", onward::rocket::Forward::new().routes(routes![index]));
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

    /// Wraps routes, to be mounted in their place.
    #[must_use]
    pub fn routes(&self, routes: impl Into<Vec<Route>>) -> Vec<Route> {
        let mut routes = routes.into();
        for route in &mut routes {
            let covered = Covered { handler: route.handler.clone(), propagator: self.propagator.clone() };
            route.handler = Box::new(covered);
        }
        routes
    }
}

#[derive(Clone)]
struct Covered {
    handler: Box<dyn Handler>,
    propagator: Option<Propagator>,
}

#[async_trait]
impl Handler for Covered {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> route::Outcome<'r> {
        let headers = self.propagator.as_ref().unwrap_or_else(|| default_propagator()).extract(request);
        in_scope(headers, self.handler.handle(request, data)).await
    }
}

#[cfg(test)]
mod tests {
    use ::rocket::http::{Header, HeaderMap};

    #[test]
    fn lines_are_read_in_their_order() {
        let mut inbound = HeaderMap::new();
        for (name, value) in [("tracestate", "a=1"), ("End-User", "jas\u{f6}n"), ("tracestate", "b=2")] {
            inbound.add(Header::new(name, value.to_owned()));
        }
        let captured = crate::Propagator::default().extract(&inbound);
        let lines: Vec<_> = captured.iter().collect();
        assert_eq!(
            lines,
            [("tracestate", &b"a=1"[..]), ("tracestate", b"b=2"), ("end-user", "jas\u{f6}n".as_bytes())]
        );
    }
}

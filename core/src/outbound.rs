//! Requests that are about to be sent: their destination and their headers in one place.

use std::mem;

use http::{HeaderMap, Request, request};

use crate::{Destination, ForwardHeaders, Inject};

/// A request that a client is about to send.
///
/// Its target must be an absolute URL, as clients take it. Of a request whose target is a path alone nobody can tell
/// where it goes, so it counts as going outside: give [`inject_to`](crate::inject_to) its [`Destination`] instead.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no request that Onward can write headers to",
    label = "this is not an outbound request",
    note = "pass an `http::Request`, or write to its headers with `onward::inject_to(&destination, &mut headers)`"
)]
pub trait OutboundRequest {
    /// What holds its headers.
    type Headers: Inject;

    /// Calls `write` with the request's destination and its headers.
    fn with_destination<R>(&mut self, write: impl FnOnce(&Destination<'_>, &mut Self::Headers) -> R) -> R;
}

impl<B> OutboundRequest for Request<B> {
    type Headers = HeaderMap;

    fn with_destination<R>(&mut self, write: impl FnOnce(&Destination<'_>, &mut HeaderMap) -> R) -> R {
        // Taken out and put back: the destination borrows from it while the headers are written to.
        let uri = mem::take(self.uri_mut());
        let result = write(&Destination::from(&uri), self.headers_mut());
        *self.uri_mut() = uri;
        result
    }
}

impl OutboundRequest for request::Parts {
    type Headers = HeaderMap;

    fn with_destination<R>(&mut self, write: impl FnOnce(&Destination<'_>, &mut HeaderMap) -> R) -> R {
        write(&Destination::from(&self.uri), &mut self.headers)
    }
}

impl ForwardHeaders {
    /// [`inject_to`](Self::inject_to), for a request that knows where it goes.
    ///
    /// # Examples
    ///
    /// ```
    /// let headers = onward::get_forward_headers(&[("x-request-id", "7f6c"), ("cookie", "a=b")]);
    /// let mut request = http::Request::get("https://api.example.com/").body(())?;
    /// headers.inject_into(&mut request);
    /// assert_eq!(request.headers()["x-request-id"], "7f6c");
    /// assert_eq!(request.headers().len(), 1);
    /// # Ok::<(), http::Error>(())
    /// ```
    pub fn inject_into<R: OutboundRequest + ?Sized>(&self, request: &mut R) {
        request.with_destination(|destination, headers| self.inject_to(destination, headers));
    }
}

/// Writes the current headers that may go where `request` goes: [`inject_to`](crate::inject_to), for a request that
/// knows where it goes. Outside a request it does nothing (rule R7).
///
/// # Examples
///
/// ```
/// let _scope = onward::enter(onward::get_forward_headers(&[("x-request-id", "7f6c")]));
/// let mut request = http::Request::get("http://ratings:9080/ratings/0").body(())?;
/// onward::inject_into(&mut request);
/// assert_eq!(request.headers()["x-request-id"], "7f6c");
/// # Ok::<(), http::Error>(())
/// ```
pub fn inject_into<R: OutboundRequest + ?Sized>(request: &mut R) {
    request.with_destination(crate::inject_to);
}

/// The guide's page, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/clients/header-map.md")]
struct Page;

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str) -> Request<()> {
        Request::get(uri).body(()).expect("a request")
    }

    fn names(uri: &str) -> Vec<String> {
        let headers = crate::Propagator::default().extract(&[("x-request-id", "7f6c"), ("cookie", "a=b")]);
        let mut request = request(uri);
        headers.inject_into(&mut request);
        assert_eq!(request.uri(), uri);
        let (mut parts, ()) = request.into_parts();
        let names = parts.headers.keys().map(ToString::to_string).collect();
        parts.headers.clear();
        headers.inject_into(&mut parts);
        assert_eq!(parts.headers.keys().map(ToString::to_string).collect::<Vec<_>>(), names);
        names
    }

    #[test]
    fn what_is_written_depends_on_where_the_request_goes() {
        assert_eq!(names("http://ratings:9080/ratings/0"), ["x-request-id", "cookie"]);
        assert_eq!(names("https://api.example.com/"), ["x-request-id"]);
        assert_eq!(names("http://ratings:9080/?X-Amz-Signature=0"), Vec::<String>::new());
    }

    #[test]
    fn a_path_alone_counts_as_outside() {
        assert_eq!(names("/ratings/0"), ["x-request-id"]);
    }
}

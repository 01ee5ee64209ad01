//! hyper-util: its legacy client, whose every request carries the current headers that may go to its destination.
//!
//! ```
//! use hyper_util::client::legacy;
//! use hyper_util::rt::TokioExecutor;
//!
//! # type Body = http_body_util::Empty<bytes::Bytes>;
//! # fn example() -> onward::hyper_util::Client<legacy::connect::HttpConnector, Body> {
//! let client = onward::hyper_util::client(legacy::Client::builder(TokioExecutor::new()).build_http());
//! // In a handler under `#[onward::propagate]`, `client.get(uri).await` carries its request's headers.
//! # client
//! # }
//! ```
//!
//! # Redirects
//!
//! hyper-util follows none. Where they are wanted, wrap the client with tower-http's `FollowRedirect`: it calls the
//! client once for each hop, and the headers are chosen anew.

use std::task::{Context, Poll};

use ::hyper_util::client::legacy::connect::Connect;
use ::hyper_util::client::legacy::{Client as Legacy, Error, ResponseFuture};
use http::{Request, Response, Uri};
use tower_service::Service;

/// Wraps a client.
pub const fn client<C, B>(inner: Legacy<C, B>) -> Client<C, B> {
    Client { inner }
}

/// A client that forwards by itself. Made by [`client`].
#[derive(Clone, Debug)]
pub struct Client<C, B> {
    inner: Legacy<C, B>,
}

impl<C, B> Client<C, B> {
    /// The client inside.
    pub const fn get_ref(&self) -> &Legacy<C, B> {
        &self.inner
    }
}

impl<C, B> Client<C, B>
where
    C: Connect + Clone + Send + Sync + 'static,
    B: http_body::Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    /// Sends a request.
    pub fn request(&self, mut request: Request<B>) -> ResponseFuture {
        crate::inject_into(&mut request);
        self.inner.request(request)
    }

    /// Sends a GET request.
    pub fn get(&self, uri: Uri) -> ResponseFuture
    where
        B: Default,
    {
        let mut request = Request::new(B::default());
        *request.uri_mut() = uri;
        self.request(request)
    }
}

impl<C, B> Service<Request<B>> for Client<C, B>
where
    C: Connect + Clone + Send + Sync + 'static,
    B: http_body::Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<::hyper::body::Incoming>;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture {
        self.request(request)
    }
}

/// The guide's page, compiled and run.
#[cfg(all(doctest, feature = "macros"))]
#[doc = include_str!("../../../docs/clients/hyper-util.md")]
struct Page;

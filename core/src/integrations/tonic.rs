//! tonic: gRPC metadata as a carrier, and clients that forward.
//!
//! On the server, `#[onward::propagate]` finds the metadata in the `tonic::Request` of a method, and
//! [`tower::ForwardLayer`](crate::tower::ForwardLayer) covers every method of every service:
//!
//! ```
//! # fn example() {
//! let server = tonic::transport::Server::builder().layer(onward::tower::ForwardLayer::new());
//! # let _ = server;
//! # }
//! ```
//!
//! A client is wrapped once, with the address that it calls, as an interceptor or as a layer:
//!
//! ```
//! # async fn example() -> Result<(), tonic::transport::Error> {
//! use tonic::service::interceptor::InterceptedService;
//! use tonic::transport::Endpoint;
//!
//! let endpoint = Endpoint::from_static("http://ratings:50051");
//! let forward = onward::tonic::Forward::to(endpoint.uri().clone());
//! let channel = InterceptedService::new(endpoint.connect().await?, forward);
//! // With generated code: `RatingsClient::with_interceptor(channel, forward)`.
//! # let _ = channel;
//! # Ok(())
//! # }
//! ```
//!
//! Values of `-bin` metadata, such as `grpc-trace-bin`, are base64 on the wire. They go on as they came: as that text.
//!
//! # Limitations
//!
//! - tonic tells no interceptor and no layer where a channel goes, so a client is told once, when it is wrapped.
//! - A tonic channel writes its own name behind a `user-agent` that it is given: `curl/8` leaves as `curl/8
//!   tonic/0.14.9`. A client over hyper-util's `Client`, in the layer, sends it as it came.
//! - Streams outlive the method that gives them back. A stream of responses is polled by the server's connection, and
//!   one of requests by the client's: take the scope along with `carry_stream` (feature `stream`).

use std::task::{Context, Poll};

use ::tonic::metadata::MetadataMap;
use ::tonic::service::Interceptor;
use ::tonic::{Request, Status};
use http::{HeaderMap, Uri};
use tower_layer::Layer;
use tower_service::Service;

use crate::shape::Batch;
use crate::{Destination, Extract, Inject, Line, Name, Value, inject_to};

impl Extract for MetadataMap {
    #[inline]
    fn lines<'a>(&'a self, line: impl FnMut(Line<'a>)) {
        AsRef::<HeaderMap>::as_ref(self).lines(line);
    }
}

/// Through the map inside, where `-bin` values are the text that stands on the wire.
impl Inject for MetadataMap {
    const REPEATS: bool = true;

    fn insert(&mut self, name: Name<'_>, value: Value<'_>) {
        Inject::insert(AsMut::<HeaderMap>::as_mut(self), name, value);
    }

    fn append(&mut self, name: Name<'_>, value: Value<'_>) {
        Inject::append(AsMut::<HeaderMap>::as_mut(self), name, value);
    }

    fn fill(&mut self, lines: Batch<'_>) -> bool {
        AsMut::<HeaderMap>::as_mut(self).fill(lines)
    }

    fn reserve(&mut self, lines: usize) {
        AsMut::<HeaderMap>::as_mut(self).reserve(lines);
    }
}

impl<T> Extract for Request<T> {
    #[inline]
    fn lines<'a>(&'a self, line: impl FnMut(Line<'a>)) {
        self.metadata().lines(line);
    }
}

/// Adds the current headers that may go to a client's address to every call: an interceptor, and a layer.
///
/// What a call has already wins (rule R6).
#[derive(Clone, Debug)]
pub struct Forward {
    to: Uri,
}

impl Forward {
    /// For a client that calls `address`: `endpoint.uri().clone()`, or the endpoint's origin where it has one.
    ///
    /// An address without an authority counts as outside of the mesh (rule R8).
    #[must_use]
    pub const fn to(address: Uri) -> Self {
        Self { to: address }
    }
}

impl Interceptor for Forward {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        inject_to(&Destination::from(&self.to), request.metadata_mut());
        Ok(request)
    }
}

impl<S> Layer<S> for Forward {
    type Service = Forwarding<S>;

    fn layer(&self, inner: S) -> Forwarding<S> {
        Forwarding { inner, to: self.to.clone() }
    }
}

/// The service that [`Forward`] makes as a layer. Its future is that of the inner service.
#[derive(Clone, Debug)]
pub struct Forwarding<S> {
    inner: S,
    to: Uri,
}

impl<S, B> Service<http::Request<B>> for Forwarding<S>
where
    S: Service<http::Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<B>) -> S::Future {
        inject_to(&Destination::from(&self.to), request.headers_mut());
        self.inner.call(request)
    }
}

//! hyper 1: the attribute on a handler, or a wrapper around a whole service.
//!
//! A handler under `service_fn` takes a `Request<Incoming>`, where `#[onward::propagate]` finds the headers by itself;
//! that needs no feature. [`Forward`] covers a service without touching it:
//!
//! ```no_run
//! use std::convert::Infallible;
//!
//! use http::{Request, Response};
//! use hyper::body::Incoming;
//! use hyper::service::service_fn;
//! use hyper_util::rt::{TokioExecutor, TokioIo};
//! use hyper_util::server::conn::auto;
//!
//! async fn reviews(_: Request<Incoming>) -> Result<Response<String>, Infallible> {
//!     Ok(Response::new(format!("{} headers go on", onward::current().len())))
//! }
//!
//! #[tokio::main]
//! async fn main() -> std::io::Result<()> {
//!     let listener = tokio::net::TcpListener::bind("0.0.0.0:9080").await?;
//!     loop {
//!         let (stream, _) = listener.accept().await?;
//!         tokio::spawn(async move {
//!             let service = onward::hyper::Forward::new(service_fn(reviews));
//!             let server = auto::Builder::new(TokioExecutor::new());
//!             let _ = server.serve_connection(TokioIo::new(stream), service).await;
//!         });
//!     }
//! }
//! ```
//!
//! A tower service that goes into hyper through hyper-util's `TowerToHyperService` is covered by
//! [`tower::ForwardLayer`](crate::tower::ForwardLayer) before it goes in, or by [`Forward`] around it.

use ::hyper::service::Service;
use http::Request;

pub use super::tower::Forward;
use crate::{InScope, enter, in_scope};

impl<S, B> Service<Request<B>> for Forward<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = InScope<S::Future>;

    fn call(&self, request: Request<B>) -> InScope<S::Future> {
        // As for a tower service.
        let headers = self.capture(&request);
        let scope = enter(headers.clone());
        let future = self.get_ref().call(request);
        drop(scope);
        in_scope(headers, future)
    }
}

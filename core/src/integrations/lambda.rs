//! `lambda_http`: the attribute on a handler, or a wrapper around it.
//!
//! A handler takes a `lambda_http::Request`, where `#[onward::propagate]` finds the headers by itself; that needs no
//! feature. [`Forward`] covers a handler, or a whole router, without touching it:
//!
//! ```no_run
//! use lambda_http::{Body, Error, Request, Response, service_fn};
//!
//! async fn reviews(_: Request) -> Result<Response<Body>, Error> {
//!     Ok(Response::new(format!("{} headers go on", onward::current().len()).into()))
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     lambda_http::run(onward::lambda::Forward::new(service_fn(reviews))).await
//! }
//! ```
//!
//! `lambda_http` writes the invocation's own X-Ray id over the `x-amzn-trace-id` that came in. So what goes on is the id
//! under which Lambda reports this invocation: add the preset `xray` to forward it.

pub use super::tower::{Forward, ForwardLayer};

//! warp: the attribute on a handler that is given its headers, or a wrapper around all routes.
//!
//! A handler takes the headers from the filter `warp::header::headers_cloned()`, and `#[onward::propagate]` finds them
//! among its arguments. [`Forward`] covers every route, whatever its handlers take:
//!
//! ```no_run
//! use hyper_util::rt::{TokioExecutor, TokioIo};
//! use hyper_util::server::conn::auto;
//! use hyper_util::service::TowerToHyperService;
//! use warp::Filter;
//!
//! #[tokio::main]
//! async fn main() -> std::io::Result<()> {
//!     let reviews = warp::path("reviews").map(|| format!("{} headers go on", onward::current().len()));
//!     let app = TowerToHyperService::new(onward::warp::Forward::new(warp::service(reviews)));
//!     let listener = tokio::net::TcpListener::bind("0.0.0.0:9080").await?;
//!     loop {
//!         let (stream, _) = listener.accept().await?;
//!         let app = app.clone();
//!         tokio::spawn(async move {
//!             let server = auto::Builder::new(TokioExecutor::new());
//!             let _ = server.serve_connection(TokioIo::new(stream), app).await;
//!         });
//!     }
//! }
//! ```
//!
//! # Limitations
//!
//! `warp::serve` takes filters only, and warp lets nobody else wrap the future of a filter. So the wrapper goes around
//! the service that warp makes of the routes, and hyper-util serves it, as `warp::serve` itself does.

pub use super::tower::{Forward, ForwardLayer};

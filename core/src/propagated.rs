//! `#[propagate]` for closures, which take no attribute.

use std::future::Future;

use crate::{Extract, InScope, Propagator, default_propagator, enter, in_scope};

/// Makes an async closure propagate: [`#[propagate]`](macro@crate::propagate) in the form of a function, for what
/// takes no attribute. The closure's argument is the carrier.
///
/// ```
/// # fn example() -> axum::Router {
/// use axum::{Router, extract::Request, routing::get};
///
/// Router::new().route(
///     "/reviews",
///     get(onward::propagated(|request: Request| async move {
///         // What is called here carries the headers of `request`.
///         format!("{} headers go on", onward::current().len())
///     })),
/// )
/// # }
/// ```
///
/// For a policy of its own there is [`propagated_by`].
///
/// # Limitations
///
/// The closure has one argument, the carrier. With more, capture in it: `let headers =
/// onward::get_forward_headers(&request);`, and wrap its body in `onward::in_scope(headers, async move { .. })`.
pub fn propagated<R, F>(f: impl Fn(R) -> F + Clone) -> impl Fn(R) -> InScope<F> + Clone
where
    R: Extract,
    F: Future,
{
    move |request| scoped(default_propagator(), request, &f)
}

/// [`propagated`] by a policy of its own.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let zipkin = onward::Propagator::builder().preset("zipkin").build()?;
/// let handler = onward::propagated_by(zipkin, |_: http::HeaderMap| async { onward::current().len() });
///
/// let mut headers = http::HeaderMap::new();
/// headers.insert("b3", "0".parse()?);
/// headers.insert("cookie", "a=b".parse()?);
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// assert_eq!(runtime.block_on(handler(headers)), 1);
/// # Ok(())
/// # }
/// ```
pub fn propagated_by<R, F>(
    propagator: Propagator,
    f: impl Fn(R) -> F + Clone,
) -> impl Fn(R) -> InScope<F> + Clone
where
    R: Extract,
    F: Future,
{
    move |request| scoped(&propagator, request, &f)
}

fn scoped<R: Extract, F: Future>(propagator: &Propagator, request: R, f: impl Fn(R) -> F) -> InScope<F> {
    let headers = propagator.extract(&request);
    // What stands before the closure's `async move` runs while the future is made.
    let scope = enter(headers.clone());
    let future = f(request);
    drop(scope);
    in_scope(headers, future)
}

/// [`propagated`] for a closure that is not async.
///
/// # Examples
///
/// ```
/// let handler = onward::propagated_fn(|request: http::HeaderMap| (request.len(), onward::current().len()));
///
/// let mut headers = http::HeaderMap::new();
/// headers.insert("x-request-id", "7f6c".parse()?);
/// headers.insert("accept", "*/*".parse()?);
/// assert_eq!(handler(headers), (2, 1));
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
pub fn propagated_fn<R: Extract, T>(f: impl Fn(R) -> T + Clone) -> impl Fn(R) -> T + Clone {
    move |request| {
        let _scope = enter(default_propagator().extract(&request));
        f(request)
    }
}

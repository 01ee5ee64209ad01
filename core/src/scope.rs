//! The ambient place where the current request's forward headers live while its handler runs.
//!
//! It is a stack of its own in each thread. Async code enters it at every poll and leaves it afterwards, so it works
//! on any runtime, and a task never sees what another one left on the thread (rule R11).

use std::cell::RefCell;
use std::future::Future;
use std::marker::PhantomData;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::{Destination, ForwardHeaders, Inject};

thread_local! {
    static STACK: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

/// One entered scope. None once it was left out of order.
type Entry = Option<ForwardHeaders>;

/// The forward headers of the current request; empty outside of one (rule R7).
///
/// # Examples
///
/// ```
/// assert!(onward::current().is_empty());
///
/// let headers = onward::get_forward_headers(&[("x-request-id", "7f6c")]);
/// let scope = onward::enter(headers);
/// assert_eq!(onward::current().get("x-request-id"), Some(&b"7f6c"[..]));
/// drop(scope);
/// assert!(onward::current().is_empty());
/// ```
#[must_use]
pub fn current() -> ForwardHeaders {
    with_current(ForwardHeaders::clone).unwrap_or_default()
}

/// Writes the current headers that may go to `destination` to an outbound request: [`ForwardHeaders::inject_to`] on
/// [`current`], without cloning it. Outside a request it does nothing (rule R7).
///
/// # Examples
///
/// ```
/// use onward::Destination;
///
/// let _scope = onward::enter(onward::get_forward_headers(&[("x-request-id", "7f6c")]));
/// let mut outbound = http::HeaderMap::new();
/// onward::inject_to(&Destination::parse("http://ratings:9080/"), &mut outbound);
/// assert_eq!(outbound["x-request-id"], "7f6c");
/// ```
pub fn inject_to<C: Inject + ?Sized>(destination: &Destination<'_>, outbound: &mut C) {
    let in_scope = with_current(|headers| headers.inject_to(destination, outbound)).is_some();
    #[cfg(feature = "diagnostics")]
    if !in_scope {
        crate::diagnostics::called(destination);
    }
    #[cfg(not(feature = "diagnostics"))]
    let _ = in_scope;
}

/// None outside a request. Thread-locals are gone while a thread ends; that must not panic.
fn with_current<R>(f: impl FnOnce(&ForwardHeaders) -> R) -> Option<R> {
    STACK.try_with(|stack| stack.borrow().last()?.as_ref().map(f)).ok().flatten()
}

/// Makes `headers` the current ones of this thread until the guard is dropped. For sync code.
///
/// Do not hold the guard across an `.await`: the task may go on in another thread (the guard is not `Send`, so the
/// compiler refuses that in a task that may). Wrap the future with [`in_scope`] instead. Guards may be dropped out of
/// order: each takes away its own headers only.
///
/// # Examples
///
/// ```
/// fn handle(inbound: &http::HeaderMap) {
///     let _scope = onward::enter(onward::get_forward_headers(inbound));
///     // A wrapped client that is called from here finds them, however deep down.
/// }
/// ```
#[must_use = "the scope ends when the guard is dropped"]
pub fn enter(headers: ForwardHeaders) -> Scope {
    #[cfg(feature = "diagnostics")]
    crate::diagnostics::entered();
    let place = STACK.try_with(|stack| {
        // Borrowed only while a carrier is written to; one that enters a scope there enters none.
        let mut stack = stack.try_borrow_mut().ok()?;
        stack.push(Some(headers));
        Some(stack.len() - 1)
    });
    Scope { place: place.ok().flatten(), thread: PhantomData }
}

/// Ends the scope of [`enter`] when it is dropped.
#[derive(Debug)]
pub struct Scope {
    place: Option<usize>,
    /// A scope belongs to its thread.
    thread: PhantomData<*const ()>,
}

impl Scope {
    fn leave(&mut self) -> Option<ForwardHeaders> {
        let place = self.place.take()?;
        STACK
            .try_with(|stack| {
                let mut stack = stack.try_borrow_mut().ok()?;
                let headers = stack.get_mut(place).and_then(Option::take);
                while matches!(stack.last(), Some(None)) {
                    stack.pop();
                }
                headers
            })
            .ok()
            .flatten()
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        self.leave();
    }
}

pin_project! {
    /// A future whose polls run in the scope of some headers. Made by [`in_scope`] and [`carry`]; with the features
    /// `stream` and `http-body` also a stream or a response body.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct InScope<F> {
        #[pin]
        future: F,
        headers: ForwardHeaders,
    }
}

impl<F: Future> Future for InScope<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.within(|future| future.poll(context))
    }
}

impl<F> InScope<F> {
    pub(crate) fn new(headers: ForwardHeaders, future: F) -> Self {
        Self { future, headers }
    }

    #[cfg(any(feature = "stream", feature = "http-body"))]
    pub(crate) fn inner(&self) -> &F {
        &self.future
    }

    /// One poll, whatever of.
    pub(crate) fn within<R>(self: Pin<&mut Self>, poll: impl FnOnce(Pin<&mut F>) -> R) -> R {
        let this = self.project();
        // Moved rather than cloned: two moves are cheaper than a count up and down.
        let mut scope = enter(mem::take(this.headers));
        let polled = poll(this.future);
        *this.headers = scope.leave().unwrap_or_default();
        polled
    }
}

/// Runs `future` with `headers` as the current ones, on whatever thread it is polled.
///
/// # Examples
///
/// ```
/// async fn handle(inbound: http::HeaderMap) -> usize {
///     let headers = onward::get_forward_headers(&inbound);
///     onward::in_scope(headers, async { onward::current().len() }).await
/// }
/// ```
pub fn in_scope<F: Future>(headers: ForwardHeaders, future: F) -> InScope<F> {
    InScope::new(headers, future)
}

/// Takes the current headers along into a future that is polled elsewhere, such as a spawned task.
///
/// # Examples
///
/// ```
/// # async fn call() {}
/// # async fn example() {
/// tokio::spawn(onward::carry(async { call().await }));
/// # }
/// ```
pub fn carry<F: Future>(future: F) -> InScope<F> {
    in_scope(current(), future)
}

/// Takes the current headers along into a closure that runs elsewhere, such as a thread.
///
/// # Examples
///
/// ```
/// let headers = onward::get_forward_headers(&[("x-request-id", "7f6c")]);
/// let _scope = onward::enter(headers);
/// let seen = std::thread::spawn(onward::carry_fn(|| onward::current().len())).join();
/// assert_eq!(seen.ok(), Some(1));
/// ```
pub fn carry_fn<R>(f: impl FnOnce() -> R) -> impl FnOnce() -> R {
    let headers = current();
    move || {
        let _scope = enter(headers);
        f()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(id: &str) -> ForwardHeaders {
        crate::Propagator::default().extract(&[("x-request-id", id)])
    }

    fn id() -> Option<Vec<u8>> {
        current().get("x-request-id").map(<[u8]>::to_vec)
    }

    #[test]
    fn the_inner_scope_is_the_current_one() {
        let _outer = enter(headers("outer"));
        {
            let _inner = enter(headers("inner"));
            assert_eq!(id().as_deref(), Some(&b"inner"[..]));
        }
        assert_eq!(id().as_deref(), Some(&b"outer"[..]));
    }

    #[test]
    fn guards_dropped_out_of_order_take_their_own_headers_only() {
        let first = enter(headers("first"));
        let second = enter(headers("second"));
        drop(first);
        assert_eq!(id().as_deref(), Some(&b"second"[..]));
        drop(second);
        assert_eq!(id(), None);
        let _third = enter(headers("third"));
        assert_eq!(id().as_deref(), Some(&b"third"[..]));
    }

    #[test]
    fn a_panic_leaves_no_scope_behind() {
        let result = std::panic::catch_unwind(|| {
            let _scope = enter(headers("lost"));
            panic!("in the handler");
        });
        assert!(result.is_err());
        assert_eq!(id(), None);
    }

    #[test]
    fn a_request_without_headers_hides_those_of_an_outer_one() {
        let _outer = enter(headers("outer"));
        let _inner = enter(crate::Propagator::default().extract(&[("accept", "*/*")]));
        assert_eq!(id(), None);
    }
}

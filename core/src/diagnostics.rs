//! Finds outbound calls that were made without a scope: what was spawned without `carry`, mostly.
//!
//! Off unless the feature `diagnostics` is on; then it costs two atomic reads a call. A call counts when a client of
//! Onward's, [`inject_to`](crate::inject_to) or [`inject_into`](crate::inject_into) ran outside of any request's scope
//! although the process has had one before.
//!
//! ```standalone_crate
//! use onward::diagnostics;
//!
//! diagnostics::on_call_without_scope(|destination| {
//!     eprintln!("no request's headers on the call to {destination}:\n{}", std::backtrace::Backtrace::capture());
//! });
//!
//! let mut request = http::Request::get("http://ratings:9080/").body(())?;
//! onward::inject_into(&mut request);
//! // This process has served no request: a call of its own, such as one at start, is no mistake.
//! assert_eq!(diagnostics::calls_without_scope(), 0);
//!
//! drop(onward::enter(onward::get_forward_headers(&[("x-request-id", "7f6c")])));
//! onward::inject_into(&mut request);
//! assert_eq!(diagnostics::calls_without_scope(), 1);
//! # Ok::<(), http::Error>(())
//! ```

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::{Destination, ForwardHeaders};

/// Whether any scope was ever entered.
static SERVES: AtomicBool = AtomicBool::new(false);
static CALLS: AtomicU64 = AtomicU64::new(0);
static CALLBACK: OnceLock<Callback> = OnceLock::new();

type Callback = Box<dyn Fn(&Destination<'_>) + Send + Sync>;

/// How many outbound calls were made without a scope since the process has served its first request.
pub fn calls_without_scope() -> u64 {
    CALLS.load(Ordering::Relaxed)
}

/// Calls `callback` at each such call, in its place: a backtrace that is taken there shows who called. A call that it
/// makes itself does not count. Once a process; false if one was set before.
pub fn on_call_without_scope(callback: impl Fn(&Destination<'_>) + Send + Sync + 'static) -> bool {
    CALLBACK.set(Box::new(callback)).is_ok()
}

pub(crate) fn entered() {
    if !SERVES.load(Ordering::Relaxed) {
        SERVES.store(true, Ordering::Relaxed);
    }
}

pub(crate) fn called(destination: &Destination<'_>) {
    if SERVES.load(Ordering::Relaxed) {
        CALLS.fetch_add(1, Ordering::Relaxed);
        if let Some(callback) = CALLBACK.get() {
            // A call that it makes itself has this scope, and does not call it again.
            let _scope = crate::enter(ForwardHeaders::default());
            callback(destination);
        }
    }
}

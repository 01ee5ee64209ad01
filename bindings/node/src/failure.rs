//! What the face turns into an `OnwardError`.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use napi::bindgen_prelude::Either;
use napi_derive::napi;

/// A mistake, returned rather than thrown: the face throws its own class, with both parts.
#[napi(object)]
pub struct Failure {
    /// The core's kind in `snake_case`, or `panic`. Its presence tells a failure from a result.
    pub code: String,
    pub token: String,
    pub message: String,
}

impl From<onward::PolicyError> for Failure {
    fn from(error: onward::PolicyError) -> Self {
        Self { code: error.kind().code().into(), token: error.token().into(), message: error.to_string() }
    }
}

/// Runs `work`; a panic in it becomes a failure.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Either<T, Failure> {
    // What `work` touches is either immutable (a policy, a capture) or dropped with it.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Either::A(value),
        Ok(Err(failure)) => Either::B(failure),
        Err(panic) => Either::B(Failure {
            code: "panic".into(),
            token: String::new(),
            message: format!("a defect in onward, please report it: {}", text(&*panic)),
        }),
    }
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let literal = panic.downcast_ref::<&str>().copied();
    literal.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

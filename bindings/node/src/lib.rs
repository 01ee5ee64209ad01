//! Node bindings of onward: the private half, `_native`. The public face is written by hand in JavaScript.
//!
//! Nothing here is called for each header of a usual request: the face runs the plan that [`NativePropagator::plan`]
//! gives it. What is not usual (repeated lines, values to drop, limits) and everything that is asked for seldom
//! (`explain`, destinations) is decided here. Every exported function ends in [`failure::guarded`], so that no panic
//! reaches the host process.
#![expect(unreachable_pub, reason = "napi-derive wants public items; they are reached from JavaScript")]
#![expect(clippy::needless_pass_by_value, reason = "arguments are made for the call, by napi-derive")]

mod capture;
mod carriers;
mod failure;
mod plan;
mod propagator;

use napi::bindgen_prelude::Either;
use napi_derive::napi;

use failure::{Failure, guarded};

/// Panics inside, so that a test can show that the process lives on.
#[napi(catch_unwind)]
pub fn force_panic() -> Either<bool, Failure> {
    guarded(|| std::panic::resume_unwind(Box::new("forced by a test")))
}

/// The code of every mistake that a policy can have.
#[napi(catch_unwind)]
pub fn policy_error_codes() -> Vec<String> {
    onward::PolicyErrorKind::ALL.iter().map(|kind| kind.code().to_owned()).collect()
}

//! Nothing that goes wrong in native code reaches the interpreter as anything but an exception.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::prelude::*;

use crate::error;

/// Runs the body of an exported function. A panic becomes an `OnwardError` with the code `panic`; without this it
/// would be a `BaseException`, which `except Exception` misses.
#[inline]
pub(crate) fn guard<T>(py: Python<'_>, body: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| Err(error::panicked(py, text(&*payload))))
}

fn text(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

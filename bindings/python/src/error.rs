//! The exceptions of `onward._errors`, raised from native code.

use onward::{PolicyError, PolicyErrorKind};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();

/// Makes `class(message, code=.., token=..)`.
fn make(py: Python<'_>, class: &str, code: &str, token: &str, message: &str) -> PyErr {
    let made = MODULE
        .get_or_try_init(py, || py.import("onward._errors").map(Bound::unbind))
        .and_then(|module| module.bind(py).getattr(class)?.call1((message, code, token)));
    match made {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

/// A mistake in a policy.
pub(crate) fn policy(py: Python<'_>, error: &PolicyError) -> PyErr {
    make(py, "PolicyError", error.kind().code(), error.token(), &error.to_string())
}

/// The default was set, or used, before.
pub(crate) fn default_already_set(py: Python<'_>) -> PyErr {
    let code = PolicyErrorKind::DefaultAlreadySet.code();
    let message =
        "`set_default` came after the default was set or used; call it once, before the first request";
    make(py, "PolicyError", code, "set_default", message)
}

/// An argument that cannot be used.
pub(crate) fn argument(py: Python<'_>, token: &str, message: &str) -> PyErr {
    make(py, "ArgumentError", "invalid_argument", token, message)
}

/// Something that headers cannot be read from or written to.
pub(crate) fn carrier(py: Python<'_>, token: &str, message: &str) -> PyErr {
    make(py, "CarrierError", "unsupported_carrier", token, message)
}

/// What a carrier raised while it was read or written. An exception that is no `Exception` (`KeyboardInterrupt`,
/// a cancelled task) is not about the carrier and goes on unchanged.
pub(crate) fn in_carrier(carrier_object: &Bound<'_, PyAny>, cause: PyErr) -> PyErr {
    let py = carrier_object.py();
    if !cause.is_instance_of::<PyException>(py) || is_ours(py, &cause) {
        return cause;
    }
    let class = type_name(carrier_object);
    let error =
        carrier(py, &class, &format!("`{class}` raised an exception while Onward used its headers: {cause}"));
    error.set_cause(py, Some(cause));
    error
}

fn is_ours(py: Python<'_>, error: &PyErr) -> bool {
    MODULE
        .get(py)
        .and_then(|module| module.bind(py).getattr("OnwardError").ok())
        .is_some_and(|root| error.is_instance(py, &root))
}

/// A panic in native code.
pub(crate) fn panicked(py: Python<'_>, message: &str) -> PyErr {
    make(
        py,
        "OnwardError",
        "panic",
        "",
        &format!("Onward's native code panicked, which is a bug in it: {message}"),
    )
}

/// The name of an object's type, as users know it.
pub(crate) fn type_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().fully_qualified_name().map_or_else(|_| "object".to_owned(), |name| name.to_string())
}

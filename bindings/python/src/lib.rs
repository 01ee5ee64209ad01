//! The native half of the Python package `onward`: converts carriers, and asks the core.
//!
//! `select` and `sink` are the fast path, `lines` the reference path; `carrier` finds the headers of a request.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

use crate::guard::guard;
use crate::headers::ForwardHeaders;
use crate::propagator::Propagator;

mod carrier;
mod dict;
mod error;
mod explain;
mod guard;
mod headers;
mod keys;
mod lines;
mod message;
mod metadata;
mod outbound;
mod plan;
mod propagator;
mod script;
mod select;
mod sink;
mod text;
mod tracer;

static DEFAULT: PyOnceLock<Py<Propagator>> = PyOnceLock::new();

#[inline]
fn default_of(py: Python<'_>) -> PyResult<&Py<Propagator>> {
    DEFAULT.get_or_try_init(py, || Py::new(py, Propagator::read_env(py, None)?))
}

/// The headers of an inbound request that belong on every outbound request made for it, as a new dict.
///
/// `request` is a Flask, Django, Starlette, `FastAPI`, aiohttp or Tornado request, a WSGI environ, an ASGI scope, a
/// mapping, or a list of pairs. Without a destination this is the full set, credentials included; with one (a URL or
/// an authority), what may go there.
#[pyfunction]
#[pyo3(signature = (request, destination=None))]
fn get_forward_headers<'py>(
    py: Python<'py>,
    request: &Bound<'py, PyAny>,
    destination: Option<&str>,
) -> PyResult<Bound<'py, PyDict>> {
    guard(py, || default_of(py)?.get().forward(request, destination))
}

/// The propagator of this process: what `set_default` said, otherwise what the environment says at the first use.
#[pyfunction]
fn default(py: Python<'_>) -> PyResult<Py<Propagator>> {
    guard(py, || Ok(default_of(py)?.clone_ref(py)))
}

/// Sets the propagator of this process, once and before its first use.
#[pyfunction]
fn set_default(py: Python<'_>, propagator: Py<Propagator>) -> PyResult<()> {
    guard(py, || DEFAULT.set(py, propagator).map_err(|_| error::default_already_set(py)))
}

/// Whether an argument of a handler is its request.
#[pyfunction]
fn is_request(py: Python<'_>, candidate: &Bound<'_, PyAny>) -> PyResult<bool> {
    guard(py, || carrier::is_request(candidate))
}

/// The authorities that a gRPC target stands for.
#[pyfunction]
fn _grpc_authorities(py: Python<'_>, target: &str) -> PyResult<Vec<String>> {
    guard(py, || Ok(onward::grpc_authorities(target)))
}

/// Panics, so that a test can see what becomes of it.
#[pyfunction]
fn _panic_for_test(py: Python<'_>) -> PyResult<()> {
    #[expect(clippy::panic, reason = "this is its purpose")]
    guard(py, || -> PyResult<()> { panic!("forced by a test") })
}

/// Every code that an error of a policy can have, so that a test can walk them.
#[pyfunction]
fn _policy_error_codes(py: Python<'_>) -> PyResult<Vec<&'static str>> {
    guard(py, || Ok(onward::PolicyErrorKind::ALL.iter().map(|kind| kind.code()).collect()))
}

/// Borrowed objects are read on the promise that no other thread changes them meanwhile, so the GIL is needed.
#[pymodule(gil_used = true)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<ForwardHeaders>()?;
    module.add_class::<Propagator>()?;
    module.add_class::<explain::Explanation>()?;
    module.add_function(wrap_pyfunction!(get_forward_headers, module)?)?;
    module.add_function(wrap_pyfunction!(default, module)?)?;
    module.add_function(wrap_pyfunction!(set_default, module)?)?;
    module.add_function(wrap_pyfunction!(is_request, module)?)?;
    module.add_function(wrap_pyfunction!(_grpc_authorities, module)?)?;
    module.add_function(wrap_pyfunction!(_panic_for_test, module)?)?;
    module.add_function(wrap_pyfunction!(_policy_error_codes, module)?)
}

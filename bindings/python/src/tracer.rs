//! Beside a tracer: the span of OpenTelemetry that is current (rule R13).

use onward::SpanContext;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyModule, PyString};

use crate::dict::item;

/// The current span, where the program has imported OpenTelemetry, and the span is one that will be reported.
///
/// Without OpenTelemetry this is one look into `sys.modules`; with it, but without a span, one call.
#[inline]
pub(crate) fn current_span(py: Python<'_>) -> Option<SpanContext> {
    let context = imported(py, intern!(py, "opentelemetry.context"))?;
    // In the module's dict, which costs a third of asking for an attribute.
    let get_current = item(&context.dict(), intern!(py, "get_current")).ok()??;
    // Where it is other than expected, the request goes on as without it.
    reported(&get_current).ok().flatten()
}

/// A module, if the program has imported it; perhaps it is still at it.
#[inline]
fn imported<'py>(py: Python<'py>, name: &Bound<'py, PyString>) -> Option<Bound<'py, PyModule>> {
    // Kept, since `PyImport_GetModuleDict` aborts the process where an interpreter has no modules any more: finalizers
    // run even then.
    static MODULES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let modules = MODULES.import(py, "sys", "modules").ok()?;
    item(modules, name).ok()??.cast_into().ok()
}

fn reported(get_current: &Bound<'_, PyAny>) -> PyResult<Option<SpanContext>> {
    let py = get_current.py();
    let current = get_current.call0()?;
    // Nothing is current at all.
    if !current.is_truthy()? {
        return Ok(None);
    }
    let Some(trace) = imported(py, intern!(py, "opentelemetry.trace")) else { return Ok(None) };
    let span = trace.call_method1(intern!(py, "get_current_span"), (current,))?;
    if !span.call_method0(intern!(py, "is_recording"))?.is_truthy()? {
        return Ok(None);
    }
    let context = span.call_method0(intern!(py, "get_span_context"))?;
    let trace_id: u128 = context.getattr(intern!(py, "trace_id"))?.extract()?;
    let span_id: u64 = context.getattr(intern!(py, "span_id"))?.extract()?;
    let flags = context.getattr(intern!(py, "trace_flags"))?.extract()?;
    let span = SpanContext::new(trace_id.to_be_bytes(), span_id.to_be_bytes(), flags);
    if !(span.is_valid() && span.is_sampled()) {
        return Ok(None);
    }
    let state = context.getattr(intern!(py, "trace_state"))?.call_method0(intern!(py, "to_header"))?;
    Ok(Some(span.with_trace_state(state.extract::<String>()?)))
}

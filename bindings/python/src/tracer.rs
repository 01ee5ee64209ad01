//! Beside a tracer: the span of OpenTelemetry that is current (rule R13).

use onward::SpanContext;
use pyo3::intern;
use pyo3::prelude::*;

/// The current span, where the program has imported OpenTelemetry, and the span is one that will be reported.
///
/// Without OpenTelemetry this is one look into `sys.modules`.
#[inline]
pub(crate) fn current_span(py: Python<'_>) -> Option<SpanContext> {
    let name = intern!(py, "opentelemetry.trace");
    // SAFETY: the name is a string; what comes back is a new reference, or null.
    let trace = unsafe { Bound::from_owned_ptr_or_opt(py, pyo3::ffi::PyImport_GetModule(name.as_ptr())) };
    let Some(trace) = trace else {
        drop(PyErr::take(py));
        return None;
    };
    // Where it is only half imported yet, or other than expected, the request goes on as without it.
    reported(&trace).ok().flatten()
}

fn reported(trace: &Bound<'_, PyAny>) -> PyResult<Option<SpanContext>> {
    let py = trace.py();
    let span = trace.call_method0(intern!(py, "get_current_span"))?;
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

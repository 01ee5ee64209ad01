//! `ForwardHeaders`: what was captured from one request.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use onward::{Destination, SpanContext};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyIterator, PyList, PyString};

use crate::carrier::{self, Carrier};
use crate::explain::Explanation;
use crate::guard::guard;
use crate::outbound::{Outbound, Target};
use crate::plan::Plan;
use crate::{error, lines, message, outbound, sink, text, tracer};

/// The headers captured from one inbound request: an immutable mapping of lower-case names to values, in policy
/// order.
///
/// As a mapping it has one value a name; `lines()` has repeated lines one by one. Its `repr` shows names only.
#[pyclass(frozen, mapping, module = "onward")]
pub(crate) struct ForwardHeaders {
    /// None where there was no request.
    source: Option<Source>,
    core: OnceLock<onward::ForwardHeaders>,
    /// Selected headers whose values were no bytes, with the reason.
    bad: Vec<(String, &'static str)>,
}

/// What the fast path took: nothing is copied unless somebody asks for it.
struct Source {
    propagator: onward::Propagator,
    plan: Arc<Plan>,
    slots: u64,
    values: Box<[Py<PyAny>]>,
}

impl ForwardHeaders {
    pub(crate) fn gathered(
        propagator: onward::Propagator,
        plan: Arc<Plan>,
        slots: u64,
        values: Box<[Py<PyAny>]>,
    ) -> Self {
        Self {
            source: Some(Source { propagator, plan, slots, values }),
            core: OnceLock::new(),
            bad: Vec::new(),
        }
    }

    pub(crate) fn captured(headers: onward::ForwardHeaders, bad: Vec<(String, &'static str)>) -> Self {
        Self { source: None, core: OnceLock::from(headers), bad }
    }

    /// The same headers in the core's hands.
    fn core(&self, py: Python<'_>) -> &onward::ForwardHeaders {
        self.core.get_or_init(|| match &self.source {
            None => onward::ForwardHeaders::default(),
            Some(source) => {
                let values = source.values.iter().map(|value| bytes(value.bind(py)));
                let lines: Vec<_> =
                    sink::slots(source.slots).map(|slot| source.plan.text(slot)).zip(values).collect();
                source.propagator.extract(&lines)
            }
        })
    }

    /// What leaves: the same, or with a tracer's current span as the parent.
    fn outgoing(&self, py: Python<'_>) -> Cow<'_, onward::ForwardHeaders> {
        let headers = self.core(py);
        match tracer::current_span(py) {
            Some(span) => Cow::Owned(headers.with_parent(&span)),
            None => Cow::Borrowed(headers),
        }
    }

    /// Names and values, one value a name.
    fn joined(&self, py: Python<'_>) -> Vec<(String, Vec<u8>)> {
        let mut out = Outbound::<false>::default();
        self.core(py).inject(&mut out);
        out.into_pairs()
    }

    fn value(&self, py: Python<'_>, name: &str) -> Option<Vec<u8>> {
        let name = name.to_ascii_lowercase();
        self.joined(py).into_iter().find(|(present, _)| *present == name).map(|(_, value)| value)
    }

    /// The result of `get_forward_headers`.
    pub(crate) fn to_dict<'py>(
        &self,
        py: Python<'py>,
        destination: Option<&Destination<'_>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let mut out = Outbound::<false>::default();
        let headers = self.outgoing(py);
        match destination {
            Some(destination) => headers.inject_to(destination, &mut out),
            None => headers.inject(&mut out),
        }
        dict(py, out.into_pairs())
    }

    pub(crate) fn explained(
        &self,
        py: Python<'_>,
        destination: Option<&Destination<'_>>,
        outbound: Option<&Carrier<'_>>,
        defaults: &[String],
    ) -> PyResult<Explanation> {
        let lines = match outbound {
            Some(outbound) => lines::collect(outbound)?.present(),
            None => Vec::new(),
        };
        let core = self.outgoing(py);
        let is_default = |name: &str| defaults.iter().any(|default| default.eq_ignore_ascii_case(name));
        let explanation = core.explain_with(destination, &lines, is_default);
        Ok(Explanation::new(&explanation, core.propagator(), &self.bad))
    }
}

fn bytes<'a>(value: &'a Bound<'_, PyAny>) -> &'a [u8] {
    if let Ok(value) = value.cast::<PyBytes>() {
        return value.as_bytes();
    }
    // SAFETY: the fast path keeps exact `bytes` and `str`; `value` lives as long as the result.
    unsafe { text::ascii(value.as_ptr()) }.unwrap_or_default()
}

fn dict(py: Python<'_>, pairs: Vec<(String, Vec<u8>)>) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in pairs {
        dict.set_item(name, text::decode(py, &value)?)?;
    }
    Ok(dict)
}

fn list(
    py: Python<'_>,
    pairs: impl IntoIterator<Item = (String, Vec<u8>)>,
) -> PyResult<Vec<(String, Bound<'_, PyString>)>> {
    pairs.into_iter().map(|(name, value)| Ok((name, text::decode(py, &value)?))).collect()
}

#[pymethods]
impl ForwardHeaders {
    /// Captures nothing: what there is outside a request.
    #[new]
    fn py_new(py: Python<'_>) -> PyResult<Self> {
        guard(py, || Ok(Self { source: None, core: OnceLock::new(), bad: Vec::new() }))
    }

    /// The header lines in policy order, repeated ones one by one.
    fn lines<'py>(&self, py: Python<'py>) -> PyResult<Vec<(String, Bound<'py, PyString>)>> {
        guard(py, || list(py, self.core(py).iter().map(|(name, value)| (name.to_owned(), value.to_vec()))))
    }

    /// Names and values, one value a name.
    fn items<'py>(&self, py: Python<'py>) -> PyResult<Vec<(String, Bound<'py, PyString>)>> {
        guard(py, || list(py, self.joined(py)))
    }

    /// The names, in lower case.
    fn keys(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        guard(py, || Ok(self.joined(py).into_iter().map(|(name, _)| name).collect()))
    }

    /// The values, one a name.
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyString>>> {
        guard(py, || self.joined(py).into_iter().map(|(_, value)| text::decode(py, &value)).collect())
    }

    /// The value of a name, in any case; repeated lines joined.
    #[pyo3(signature = (name, default=None))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        guard(py, || match self.value(py, name) {
            Some(value) => Ok(Some(text::decode(py, &value)?.into_any())),
            None => Ok(default),
        })
    }

    fn __getitem__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyString>> {
        guard(py, || match self.value(py, name) {
            Some(value) => text::decode(py, &value),
            None => Err(PyKeyError::new_err(name.to_owned())),
        })
    }

    fn __contains__(&self, py: Python<'_>, name: &Bound<'_, PyAny>) -> PyResult<bool> {
        guard(py, || Ok(name.extract::<String>().is_ok_and(|name| self.value(py, &name).is_some())))
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        guard(py, || PyList::new(py, self.joined(py).into_iter().map(|(name, _)| name))?.try_iter())
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        guard(py, || Ok(self.joined(py).len()))
    }

    fn __eq__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        guard(py, || {
            if let Ok(other) = other.cast::<Self>() {
                return Ok(self.core(py).iter().eq(other.get().core(py).iter()));
            }
            Ok(other.cast::<PyDict>().is_ok_and(|other| {
                dict(py, self.joined(py)).and_then(|this| this.eq(other)).unwrap_or(false)
            }))
        })
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        guard(py, || pyo3::types::PyTuple::new(py, self.lines(py)?)?.hash())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        guard(py, || {
            Ok(format!("<{}>", [vec!["ForwardHeaders".to_owned()], self.keys(py)?].concat().join(" ")))
        })
    }

    /// The request's id, as it came in.
    #[getter]
    fn request_id(&self, py: Python<'_>) -> PyResult<Option<String>> {
        guard(py, || Ok(self.core(py).request_id().map(str::to_owned)))
    }

    /// The trace's id, in the spelling in which it came in: of `traceparent`, B3, Datadog, X-Ray, Cloud Trace, Jaeger,
    /// Lightstep or `SkyWalking`, whichever comes first in this order.
    #[getter]
    fn trace_id(&self, py: Python<'_>) -> PyResult<Option<String>> {
        guard(py, || Ok(self.core(py).trace_id().map(Cow::into_owned)))
    }

    /// What came in and was not captured, as `(name, reason)`: `forbidden_byte`, `invalid_name`, `too_many`,
    /// `too_large`, `not_latin1`, `not_text`. At most the first 64 lines.
    #[getter]
    fn dropped(&self, py: Python<'_>) -> PyResult<Vec<(String, &'static str)>> {
        guard(py, || {
            let core = self.core(py).dropped().map(|(name, reason)| (name.into_owned(), reason.code()));
            Ok(core.chain(self.bad.iter().cloned()).collect())
        })
    }

    /// Writes the headers to an outbound carrier: a dict, anything with `add` or `append` for repeated lines, a list
    /// of pairs, or an object that has its headers in `.headers`. What the carrier has already stays, with its whole
    /// family. Given a destination (a URL or an authority), only what may go there is written.
    #[pyo3(signature = (carrier, destination=None))]
    fn inject(&self, py: Python<'_>, carrier: &Bound<'_, PyAny>, destination: Option<&str>) -> PyResult<()> {
        guard(py, || {
            let target = Target::of(carrier)?;
            let destination = destination.map(Destination::parse);
            target
                .inject(&self.outgoing(py), destination.as_ref())
                .map_err(|cause| error::in_carrier(carrier, cause))
        })
    }

    /// Tells header by header what `inject` would do, and which rule says so. `outbound` is what the outbound request
    /// has already, `defaults` the names in it that hold the client library's own values.
    #[pyo3(signature = (destination=None, outbound=None, defaults=Vec::new()))]
    #[expect(clippy::needless_pass_by_value, reason = "an argument from Python is made for the call")]
    fn explain(
        &self,
        py: Python<'_>,
        destination: Option<&str>,
        outbound: Option<&Bound<'_, PyAny>>,
        defaults: Vec<String>,
    ) -> PyResult<Explanation> {
        guard(py, || {
            let destination = destination.map(Destination::parse);
            let outbound = outbound.map(carrier::resolve).transpose()?;
            self.explained(py, destination.as_ref(), outbound.as_ref(), &defaults)
        })
    }

    /// The same headers with a tracer's current span as the parent: every trace format that came in is written anew in
    /// its own form, none is added. One that came in with the id of another trace stays as it came in. With a span that is
    /// invalid or not sampled nothing changes.
    ///
    /// The arguments are those of OpenTelemetry's `SpanContext`, the trace state as `tracestate` has it.
    #[pyo3(signature = (*, trace_id, span_id, trace_flags, trace_state=""))]
    fn with_parent(
        &self,
        py: Python<'_>,
        trace_id: u128,
        span_id: u64,
        trace_flags: u8,
        trace_state: &str,
    ) -> PyResult<Self> {
        guard(py, || {
            let span = SpanContext::new(trace_id.to_be_bytes(), span_id.to_be_bytes(), trace_flags)
                .with_trace_state(trace_state);
            Ok(Self::captured(self.core(py).with_parent(&span), self.bad.clone()))
        })
    }

    /// These headers as they are written now: with OpenTelemetry's current span as the parent, if there is one that is
    /// reported.
    fn _outgoing(slf: PyRef<'_, Self>, py: Python<'_>) -> PyResult<Py<Self>> {
        guard(py, || match tracer::current_span(py) {
            Some(span) => Py::new(py, Self::captured(slf.core(py).with_parent(&span), slf.bad.clone())),
            None => Ok(slf.into()),
        })
    }

    /// Like `inject`, into the headers of a message.
    fn _inject_message(&self, py: Python<'_>, carrier: &Bound<'_, PyAny>, credentials: bool) -> PyResult<()> {
        guard(py, || {
            message::inject(&self.outgoing(py), carrier, credentials)
                .map_err(|cause| error::in_carrier(carrier, cause))
        })
    }

    /// Like `explain`, for the headers of a message.
    fn _explain_message(
        &self,
        py: Python<'_>,
        carrier: &Bound<'_, PyAny>,
        credentials: bool,
    ) -> PyResult<Explanation> {
        guard(py, || {
            let destination = message::destination(credentials);
            self.explained(py, Some(&destination), Some(&message::resolve(carrier)?), &[])
        })
    }

    /// What an integration has to add to a request to `destination` that has the lines in `outbound`. `defaults` are
    /// the names that hold the client library's own values, which are replaced.
    #[pyo3(signature = (destination, outbound, defaults, repeats=false))]
    fn _additions<'py>(
        &self,
        py: Python<'py>,
        destination: &str,
        outbound: &Bound<'py, PyAny>,
        defaults: Vec<String>,
        repeats: bool,
    ) -> PyResult<Vec<(String, Bound<'py, PyString>)>> {
        guard(py, || {
            let existing =
                lines::collect(&Carrier::Items { items: outbound.clone(), utf8: false })?.present();
            let destination = Destination::parse(destination);
            let headers = self.outgoing(py);
            let pairs = if repeats {
                outbound::additions::<true>(&headers, &destination, existing, defaults)
            } else {
                outbound::additions::<false>(&headers, &destination, existing, defaults)
            };
            list(py, pairs)
        })
    }
}

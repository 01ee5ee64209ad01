//! `Propagator`: a compiled policy.

use std::sync::Arc;

use onward::{Destination, TraceDestinations};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::carrier::{self, Carrier};
use crate::explain::Explanation;
use crate::guard::guard;
use crate::headers::ForwardHeaders;
use crate::plan::Plan;
use crate::script::Memory;
use crate::select::{self, End};
use crate::sink::{self, Fill, Gather, Sink};
use crate::{error, lines, message, tracer};

/// A compiled policy: which headers are forwarded, and where they may go. Immutable; build it once and share it.
#[pyclass(frozen, module = "onward")]
pub(crate) struct Propagator {
    core: onward::Propagator,
    /// None for a policy of so many names that only the reference path runs it.
    plan: Option<Arc<Plan>>,
}

impl Propagator {
    pub(crate) fn new(py: Python<'_>, core: onward::Propagator) -> PyResult<Self> {
        let plan = Plan::new(py, &core)?.map(Arc::new);
        Ok(Self { core, plan })
    }

    /// Reads a mapping of environment variables, by default `os.environ` as it is now.
    pub(crate) fn read_env(py: Python<'_>, environ: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let environ = match environ {
            Some(environ) => environ.clone(),
            None => py.import("os")?.getattr("environ")?,
        };
        let mut failure = None;
        let failed = std::cell::RefCell::new(&mut failure);
        let variable = |name: &str| match text_of(&environ, name) {
            Ok(value) => value,
            Err(error) => {
                failed.borrow_mut().get_or_insert(error);
                None
            }
        };
        let builder = onward::Propagator::builder().variables(variable);
        if let Some(failure) = failure {
            return Err(failure);
        }
        Self::new(py, builder.build().map_err(|error| error::policy(py, &error))?)
    }

    /// The result of `get_forward_headers`.
    #[inline]
    pub(crate) fn forward<'py>(
        &self,
        request: &Bound<'py, PyAny>,
        destination: Option<&str>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let py = request.py();
        let carrier = carrier::resolve(request)?;
        match destination {
            None if tracer::current_span(py).is_none() => match self.fast_dict(py, &carrier)? {
                Some(dict) => Ok(dict),
                None => self.reference(&carrier)?.to_dict(py, None),
            },
            _ => self.captured(py, &carrier)?.to_dict(py, destination.map(Destination::parse).as_ref()),
        }
    }

    fn fast_dict<'py>(
        &self,
        py: Python<'py>,
        carrier: &Carrier<'py>,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        let Some(plan) = &self.plan else { return Ok(None) };
        let Some(memory) = memory(plan, carrier) else { return Ok(None) };
        if let Some(mut fill) = Fill::new(py, plan, memory)
            && scan(plan, memory, carrier, &mut fill) == End::Complete
        {
            return Ok(Some(fill.into_dict()));
        }
        let mut gather = Gather::new();
        if scan(plan, memory, carrier, &mut gather) == End::Stopped {
            return Ok(None);
        }
        let (seen, values) = gather.into_parts(py);
        plan.remember(py, memory, seen)?;
        sink::to_dict(py, plan, seen, &values).map(Some)
    }

    pub(crate) fn captured(&self, py: Python<'_>, carrier: &Carrier<'_>) -> PyResult<ForwardHeaders> {
        if let Some(plan) = &self.plan
            && let Some(memory) = memory(plan, carrier)
        {
            let mut gather = Gather::new();
            if scan(plan, memory, carrier, &mut gather) == End::Complete {
                let (seen, values) = gather.into_parts(py);
                return Ok(ForwardHeaders::gathered(self.core.clone(), Arc::clone(plan), seen, values));
            }
        }
        self.reference(carrier)
    }

    fn reference(&self, carrier: &Carrier<'_>) -> PyResult<ForwardHeaders> {
        let lines = lines::collect(carrier)?;
        let bad = lines
            .bad
            .iter()
            .filter(|(name, _)| self.core.rank(name).is_some())
            .map(|(name, reason)| (String::from_utf8_lossy(name).to_ascii_lowercase(), *reason))
            .take(64)
            .collect();
        Ok(ForwardHeaders::captured(self.core.extract(&lines), bad))
    }
}

/// What is remembered of such carriers. None for what the fast path does not read.
#[inline]
fn memory<'a>(plan: &'a Plan, carrier: &Carrier<'_>) -> Option<&'a Memory> {
    match carrier {
        Carrier::Environ(dict) => Some(plan.environ_memory.of(dict.len())),
        Carrier::Dict(dict) => Some(plan.dict_memory.of(dict.len())),
        Carrier::Items { items, utf8 } if !utf8 || !carrier::is_pairs(items) => None,
        Carrier::Pairs(pairs) | Carrier::Items { items: pairs, .. } => {
            Some(plan.pairs_memory.of(pairs.len().ok()?))
        }
    }
}

/// One pass of the fast path: as the carrier before was read, or else name by name.
#[inline]
fn scan<S: Sink>(plan: &Plan, memory: &Memory, carrier: &Carrier<'_>, sink: &mut S) -> End {
    if let Carrier::Environ(dict) = carrier
        && !plan.has_prefixes()
        && dict.len() > plan.len() + 8
    {
        // Comparing a key costs about what looking a name up costs.
        // SAFETY: `Carrier` says that it is an exact dict.
        return unsafe { select::environ(plan, dict, sink) };
    }
    if let Some(script) = memory.get()
        && let Some(script) = &*script
    {
        // SAFETY: `Carrier` says which exact type each of them has, or it was looked at, and keeps it alive.
        let end = unsafe {
            match carrier {
                Carrier::Environ(dict) | Carrier::Dict(dict) => {
                    select::replay_dict(plan, script, dict.as_ptr(), sink)
                }
                Carrier::Pairs(pairs) | Carrier::Items { items: pairs, .. } => {
                    select::replay_pairs(plan, script, pairs.as_ptr(), sink)
                }
            }
        };
        if let Some(end) = end {
            memory.hit();
            return end;
        }
        sink.reset();
    }
    // SAFETY: as above.
    unsafe {
        let end = match carrier {
            Carrier::Environ(dict) => select::environ(plan, dict, sink),
            Carrier::Dict(dict) => select::dict(plan, dict.as_ptr(), sink),
            Carrier::Pairs(pairs) | Carrier::Items { items: pairs, .. } => {
                select::pairs(plan, pairs.as_ptr(), sink)
            }
        };
        if end == End::Complete && memory.missed() {
            memory.set(match carrier {
                Carrier::Environ(dict) => select::learn_dict(plan, dict, true),
                Carrier::Dict(dict) => select::learn_dict(plan, dict, false),
                Carrier::Pairs(pairs) | Carrier::Items { items: pairs, .. } => {
                    select::learn_pairs(plan, pairs)
                }
            });
        }
        end
    }
}

fn text_of(environ: &Bound<'_, PyAny>, name: &str) -> PyResult<Option<String>> {
    let value = environ.call_method1(intern!(environ.py(), "get"), (name,))?;
    match value.cast::<PyString>() {
        Ok(text) => Ok(Some(text.to_string_lossy().into_owned())),
        Err(_) if value.is_none() => Ok(None),
        Err(_) => Err(error::argument(
            environ.py(),
            name,
            &format!("{name}: expected text, found `{}`", error::type_name(&value)),
        )),
    }
}

/// What the constructor and `derive` take.
struct Changes<'a, 'py> {
    presets: Option<&'a Bound<'py, PyAny>>,
    add: Option<&'a Bound<'py, PyAny>>,
    remove: Option<&'a Bound<'py, PyAny>>,
    mesh_hosts: Option<&'a Bound<'py, PyAny>>,
    trace_destinations: Option<&'a str>,
    max_bytes: Option<i64>,
    max_prefix_headers: Option<i64>,
}

impl Changes<'_, '_> {
    fn build(
        self,
        py: Python<'_>,
        mut builder: onward::PropagatorBuilder,
        remove: fn(onward::PropagatorBuilder, String) -> onward::PropagatorBuilder,
    ) -> PyResult<Propagator> {
        if self.presets.is_some() {
            builder = builder.presets(tokens("presets", self.presets)?);
        }
        builder = tokens("add", self.add)?.into_iter().fold(builder, onward::PropagatorBuilder::add);
        builder = tokens("remove", self.remove)?.into_iter().fold(builder, remove);
        builder = tokens("mesh_hosts", self.mesh_hosts)?
            .into_iter()
            .fold(builder, onward::PropagatorBuilder::mesh_host);
        if let Some(destinations) = self.trace_destinations {
            let destinations: TraceDestinations =
                destinations.parse().map_err(|error| error::policy(py, &error))?;
            builder = builder.trace_destinations(destinations);
        }
        if let Some(bytes) = self.max_bytes {
            builder = builder.max_bytes(limit(bytes));
        }
        if let Some(lines) = self.max_prefix_headers {
            builder = builder.max_prefix_headers(limit(lines));
        }
        Propagator::new(py, builder.build().map_err(|error| error::policy(py, &error))?)
    }
}

/// The core refuses zero, so that a negative number is refused with it.
fn limit(number: i64) -> usize {
    usize::try_from(number).unwrap_or(0)
}

/// One token, or several.
fn tokens(argument: &str, value: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<String>> {
    let Some(value) = value else { return Ok(Vec::new()) };
    if let Ok(token) = value.extract::<String>() {
        return Ok(vec![token]);
    }
    let read = value.try_iter().and_then(|items| items.map(|item| item?.extract()).collect());
    read.map_err(|_| {
        let class = error::type_name(value);
        error::argument(value.py(), argument, &format!("`{argument}` takes a str or several, not `{class}`"))
    })
}

#[pymethods]
impl Propagator {
    #[new]
    #[pyo3(signature = (*, presets=None, add=None, remove=None, mesh_hosts=None, trace_destinations=None,
                        max_bytes=None, max_prefix_headers=None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of a Python constructor")]
    fn py_new(
        py: Python<'_>,
        presets: Option<&Bound<'_, PyAny>>,
        add: Option<&Bound<'_, PyAny>>,
        remove: Option<&Bound<'_, PyAny>>,
        mesh_hosts: Option<&Bound<'_, PyAny>>,
        trace_destinations: Option<&str>,
        max_bytes: Option<i64>,
        max_prefix_headers: Option<i64>,
    ) -> PyResult<Self> {
        guard(py, || {
            Changes { presets, add, remove, mesh_hosts, trace_destinations, max_bytes, max_prefix_headers }
                .build(py, onward::Propagator::builder(), onward::PropagatorBuilder::remove)
        })
    }

    /// Reads `ONWARD_PRESETS`, `ONWARD_HEADERS`, `ONWARD_MESH_HOSTS` and `ONWARD_TRACE_DESTINATIONS` from a mapping,
    /// by default the environment of the process.
    #[staticmethod]
    #[pyo3(signature = (environ=None))]
    fn from_env(py: Python<'_>, environ: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        guard(py, || Self::read_env(py, environ))
    }

    /// A propagator that differs from this one. Presets replace the presets; everything else adds. What `remove` names need
    /// not be in this policy, which the environment may have made.
    #[pyo3(signature = (*, presets=None, add=None, remove=None, mesh_hosts=None, trace_destinations=None,
                        max_bytes=None, max_prefix_headers=None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of a Python method")]
    fn derive(
        &self,
        py: Python<'_>,
        presets: Option<&Bound<'_, PyAny>>,
        add: Option<&Bound<'_, PyAny>>,
        remove: Option<&Bound<'_, PyAny>>,
        mesh_hosts: Option<&Bound<'_, PyAny>>,
        trace_destinations: Option<&str>,
        max_bytes: Option<i64>,
        max_prefix_headers: Option<i64>,
    ) -> PyResult<Self> {
        guard(py, || {
            Changes { presets, add, remove, mesh_hosts, trace_destinations, max_bytes, max_prefix_headers }
                .build(py, self.core.to_builder(), onward::PropagatorBuilder::except)
        })
    }

    /// The names that the policy selects, in order, prefix rules (`x-canary-*`) last.
    #[getter]
    fn names(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        guard(py, || {
            let plan = self.core.plan();
            let prefixes = plan.prefixes.iter().map(|prefix| format!("{}*", prefix.name));
            Ok(plan.headers.iter().map(|header| header.name.clone()).chain(prefixes).collect())
        })
    }

    /// Captures the headers that the policy selects from a request, an environ, a scope, a mapping, or pairs.
    fn extract(&self, py: Python<'_>, carrier: &Bound<'_, PyAny>) -> PyResult<ForwardHeaders> {
        guard(py, || self.captured(py, &carrier::resolve(carrier)?))
    }

    /// Like `extract`, from the headers of a message.
    fn _extract_message(&self, py: Python<'_>, message: &Bound<'_, PyAny>) -> PyResult<ForwardHeaders> {
        guard(py, || self.captured(py, &message::resolve(message)?))
    }

    /// The headers to put on outbound requests by hand: all of them, or those that may go to `destination`.
    #[pyo3(signature = (request, destination=None))]
    fn get_forward_headers<'py>(
        &self,
        py: Python<'py>,
        request: &Bound<'py, PyAny>,
        destination: Option<&str>,
    ) -> PyResult<Bound<'py, PyDict>> {
        guard(py, || self.forward(request, destination))
    }

    /// The same through the core alone: what tests compare the fast path with.
    fn _reference<'py>(&self, py: Python<'py>, request: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
        guard(py, || self.reference(&carrier::resolve(request)?)?.to_dict(py, None))
    }

    /// Whether the fast path handles these headers, so that tests know what they compare.
    fn _is_fast(&self, py: Python<'_>, request: &Bound<'_, PyAny>) -> PyResult<bool> {
        guard(py, || Ok(self.fast_dict(py, &carrier::resolve(request)?)?.is_some()))
    }

    /// Whether a destination, a URL or an authority, is in the mesh.
    fn in_mesh(&self, py: Python<'_>, destination: &str) -> PyResult<bool> {
        guard(py, || Ok(self.core.in_mesh(&Destination::parse(destination))))
    }

    /// Tells header by header what becomes of a request's headers on the way to `destination`, and which rule says
    /// so. `outbound` is what the outbound request has already.
    #[pyo3(signature = (carrier, destination=None, outbound=None))]
    fn explain(
        &self,
        py: Python<'_>,
        carrier: &Bound<'_, PyAny>,
        destination: Option<&str>,
        outbound: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Explanation> {
        guard(py, || {
            let destination = destination.map(Destination::parse);
            let outbound = outbound.map(carrier::resolve).transpose()?;
            let captured = self.captured(py, &carrier::resolve(carrier)?)?;
            captured.explained(py, destination.as_ref(), outbound.as_ref(), &[])
        })
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        guard(py, || Ok(format!("<Propagator of {} headers>", self.names(py)?.len())))
    }
}

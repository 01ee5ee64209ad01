//! `Explanation`: why each header goes, stays, or was dropped.

use std::fmt::Write as _;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyList};

use crate::guard::guard;

/// For one capture and one destination, what becomes of each header and which rule says so.
///
/// A sequence of dicts with `name`, `class`, `outcome` (`forwarded`, `held_back` or `dropped`), `rule` and `reason`.
/// Prints as a table. Holds names, never values.
#[pyclass(frozen, module = "onward")]
pub(crate) struct Explanation {
    rows: Vec<Row>,
    in_mesh: Option<bool>,
    table: String,
}

struct Row {
    name: String,
    class: &'static str,
    outcome: &'static str,
    rule: &'static str,
    reason: String,
}

impl Explanation {
    pub(crate) fn new(
        core: &onward::Explanation,
        propagator: Option<&onward::Propagator>,
        bad: &[(String, &'static str)],
    ) -> Self {
        let mut table = core.to_string();
        let mut rows: Vec<Row> = core
            .rows()
            .iter()
            .map(|row| Row {
                name: row.name.clone(),
                class: row.class.as_str(),
                outcome: row.outcome.as_str(),
                rule: row.rule,
                reason: row.reason.clone(),
            })
            .collect();
        for (name, reason) in bad {
            if rows.iter().any(|row| row.name == *name) {
                continue;
            }
            let class = propagator.and_then(|propagator| class_of(propagator, name)).unwrap_or("context");
            let reason = if *reason == "not_latin1" {
                "its value has a character that is not one byte"
            } else {
                "its value is neither text nor bytes"
            };
            let _ = writeln!(table, "{name}  {class}  dropped  R10  {reason}");
            rows.push(Row {
                name: name.clone(),
                class,
                outcome: "dropped",
                rule: "R10",
                reason: reason.into(),
            });
        }
        Self { rows, in_mesh: core.placement().map(onward::Placement::in_mesh), table }
    }

    fn dicts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let rows = self.rows.iter().map(|row| {
            let dict = PyDict::new(py);
            dict.set_item("name", &row.name)?;
            dict.set_item("class", row.class)?;
            dict.set_item("outcome", row.outcome)?;
            dict.set_item("rule", row.rule)?;
            dict.set_item("reason", &row.reason)?;
            Ok(dict)
        });
        PyList::new(py, rows.collect::<PyResult<Vec<_>>>()?)
    }
}

fn class_of(propagator: &onward::Propagator, name: &str) -> Option<&'static str> {
    let plan = propagator.plan();
    let rank = propagator.rank(name.as_bytes())?;
    plan.headers.iter().chain(&plan.prefixes).nth(rank).map(|header| header.class)
}

#[pymethods]
impl Explanation {
    /// The rows in policy order, dropped headers last, as a new list of dicts.
    #[getter]
    fn rows<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        guard(py, || self.dicts(py))
    }

    /// Whether the destination is in the mesh; None without a destination.
    #[getter]
    fn in_mesh(&self, py: Python<'_>) -> PyResult<Option<bool>> {
        guard(py, || Ok(self.in_mesh))
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        guard(py, || Ok(self.rows.len()))
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        guard(py, || self.dicts(py)?.try_iter())
    }

    fn __getitem__<'py>(&self, py: Python<'py>, index: isize) -> PyResult<Bound<'py, PyAny>> {
        guard(py, || self.dicts(py)?.as_any().get_item(index))
    }

    fn __str__(&self, py: Python<'_>) -> PyResult<String> {
        guard(py, || Ok(self.table.trim_end().to_owned()))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        guard(py, || Ok(format!("<Explanation of {} headers>", self.rows.len())))
    }
}

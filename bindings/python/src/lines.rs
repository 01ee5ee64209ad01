//! The reference path: all header lines of a carrier, as bytes, for the core.

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyList, PyString, PyTuple};

use crate::carrier::Carrier;
use crate::{error, plan, text};

/// Header lines, and the headers whose values were no bytes.
#[derive(Default)]
pub(crate) struct Lines {
    pub(crate) lines: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) bad: Vec<(Vec<u8>, &'static str)>,
}

/// A character of the value has no byte.
const NOT_LATIN1: &str = "not_latin1";
/// The value is neither text nor bytes.
const NOT_TEXT: &str = "not_text";

impl onward::Extract for Lines {
    fn lines<'a>(&'a self, line: impl FnMut(onward::Line<'a>)) {
        self.lines.lines(line);
    }
}

/// Reads all lines.
pub(crate) fn collect(carrier: &Carrier<'_>) -> PyResult<Lines> {
    let mut lines = Lines::default();
    match carrier {
        Carrier::Environ(dict) => {
            for (key, value) in entries(dict)? {
                lines.environ(&key, &value);
            }
        }
        Carrier::Dict(dict) => {
            for (key, value) in entries(dict)? {
                lines.line(&key, &value, false);
            }
        }
        Carrier::Pairs(pairs) => lines.pairs(pairs, false)?,
        Carrier::Items { items, utf8 } => lines.pairs(items, *utf8)?,
    }
    Ok(lines)
}

/// A snapshot: what is read from the values can run code that changes the dict.
fn entries<'py>(dict: &Bound<'py, PyDict>) -> PyResult<Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>> {
    dict.items().iter().map(|item| item.extract()).collect()
}

impl Lines {
    /// The lines of an outbound carrier. One whose value cannot be read is there all the same, and wins (rule R6).
    pub(crate) fn present(self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let unreadable = self.bad.into_iter().map(|(name, _)| (name, Vec::new()));
        self.lines.into_iter().chain(unreadable).collect()
    }

    fn pairs(&mut self, pairs: &Bound<'_, PyAny>, utf8: bool) -> PyResult<()> {
        let read =
            pairs.try_iter().and_then(|items| items.map(|pair| split(&pair?)).collect::<PyResult<Vec<_>>>());
        let read = read.map_err(|cause| error::in_carrier(pairs, cause))?;
        // A CGI program's `os.environ`, or a server's own kind of environ.
        let method = intern!(pairs.py(), "REQUEST_METHOD");
        let is_environ = !utf8 && read.iter().any(|(name, _)| name.eq(method).unwrap_or(false));
        self.lines.reserve(read.len());
        for (name, value) in &read {
            if is_environ {
                self.environ(name, value);
            } else {
                self.line(name, value, utf8);
            }
        }
        Ok(())
    }

    fn environ(&mut self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) {
        let key = key.cast::<PyString>().ok().and_then(text::latin1);
        if let Some(name) = key.and_then(|key| plan::environ_name(&key)) {
            self.value(name, value, false);
        }
    }

    fn line(&mut self, name_object: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>, utf8: bool) {
        if let Some(name) = name(name_object) {
            self.value(name, value, utf8);
        }
    }

    fn value(&mut self, name: Vec<u8>, value: &Bound<'_, PyAny>, utf8: bool) {
        if let Some(values) = several(value) {
            for value in values {
                self.one(name.clone(), &value, utf8);
            }
        } else {
            self.one(name, value, utf8);
        }
    }

    fn one(&mut self, name: Vec<u8>, value: &Bound<'_, PyAny>, utf8: bool) {
        let read = if let Ok(value) = value.cast::<PyString>() {
            if utf8 { text::utf8(value) } else { text::latin1(value) }.ok_or(NOT_LATIN1)
        } else if let Ok(value) = value.cast::<PyBytes>() {
            Ok(value.as_bytes().to_vec())
        } else if let Ok(value) = value.cast::<PyByteArray>() {
            Ok(value.to_vec())
        } else {
            Err(NOT_TEXT)
        };
        match read {
            Ok(value) => self.lines.push((name, value)),
            Err(reason) => self.bad.push((name, reason)),
        }
    }
}

/// A key that is no name of a header (not text, or not ASCII) is not one that a policy can select.
fn name(object: &Bound<'_, PyAny>) -> Option<Vec<u8>> {
    match object.cast::<PyString>() {
        Ok(name) => text::latin1(name),
        Err(_) => Some(object.cast::<PyBytes>().ok()?.as_bytes().to_vec()),
    }
}

/// The values of a name that has several.
fn several<'py>(value: &Bound<'py, PyAny>) -> Option<Vec<Bound<'py, PyAny>>> {
    if let Ok(list) = value.cast::<PyList>() {
        Some(list.iter().collect())
    } else {
        value.cast::<PyTuple>().ok().map(|tuple| tuple.iter().collect())
    }
}

type Pair<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>);

fn split<'py>(pair: &Bound<'py, PyAny>) -> PyResult<Pair<'py>> {
    if let Ok(pair) = pair.cast_exact::<PyTuple>()
        && pair.len() == 2
    {
        return Ok((pair.get_item(0)?, pair.get_item(1)?));
    }
    if (pair.is_instance_of::<PyTuple>() || pair.is_instance_of::<PyList>())
        && let Ok([name, value]) =
            <[Bound<'py, PyAny>; 2]>::try_from(pair.try_iter()?.collect::<PyResult<Vec<_>>>()?)
    {
        return Ok((name, value));
    }
    Err(PyTypeError::new_err(format!("expected (name, value) pairs, found `{}`", error::type_name(pair))))
}

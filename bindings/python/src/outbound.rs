//! Writes to outbound carriers.

use onward::{Destination, Extract, Inject, Line, Name, Value};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use crate::{carrier, error, lines, text};

/// An outbound request as the core sees it: what it has, and what is to be written.
#[derive(Default)]
pub(crate) struct Outbound<const REPEATS: bool> {
    existing: Vec<(Vec<u8>, Vec<u8>)>,
    /// The names that hold the client library's own values.
    defaults: Vec<String>,
    written: Vec<(String, Vec<u8>)>,
}

impl<const REPEATS: bool> Outbound<REPEATS> {
    pub(crate) fn into_pairs(self) -> Vec<(String, Vec<u8>)> {
        self.written
    }
}

impl<const REPEATS: bool> Extract for Outbound<REPEATS> {
    fn lines<'a>(&'a self, line: impl FnMut(Line<'a>)) {
        self.existing.lines(line);
    }
}

impl<const REPEATS: bool> Inject for Outbound<REPEATS> {
    const REPEATS: bool = REPEATS;

    fn insert(&mut self, name: Name<'_>, value: Value<'_>) {
        self.append(name, value);
    }

    fn append(&mut self, name: Name<'_>, value: Value<'_>) {
        self.written.push((name.as_str().to_owned(), value.as_bytes().to_vec()));
    }

    fn is_default(&self, name: &str) -> bool {
        self.defaults.iter().any(|default| default.eq_ignore_ascii_case(name))
    }
}

/// What a request to `destination` gets, without writing it.
pub(crate) fn additions<const REPEATS: bool>(
    headers: &onward::ForwardHeaders,
    destination: &Destination<'_>,
    existing: Vec<(Vec<u8>, Vec<u8>)>,
    defaults: Vec<String>,
) -> Vec<(String, Vec<u8>)> {
    let mut out = Outbound::<REPEATS> { existing, defaults, written: Vec::new() };
    headers.inject_to(destination, &mut out);
    out.into_pairs()
}

/// How a Python object takes headers.
pub(crate) struct Target<'py> {
    pub(crate) object: Bound<'py, PyAny>,
    pub(crate) way: Way<'py>,
}

pub(crate) enum Way<'py> {
    /// `object[name] = value`: one value a name.
    Set,
    /// A method that adds a line.
    Add(Bound<'py, PyAny>),
    /// A list of pairs.
    List(Bound<'py, PyList>),
}

impl<'py> Target<'py> {
    pub(crate) fn of(object: &Bound<'py, PyAny>) -> PyResult<Self> {
        let py = object.py();
        let way = if object.is_instance_of::<PyDict>() {
            Way::Set
        } else if let Ok(list) = object.cast::<PyList>() {
            Way::List(list.clone())
        } else if !object.hasattr(intern!(py, "__setitem__"))? {
            return match object.getattr(intern!(py, "headers")) {
                Ok(headers) if headers.hasattr(intern!(py, "__setitem__"))? => Self::of(&headers),
                _ => Err(unsupported(object)),
            };
        } else if let Ok(add) = object.getattr(intern!(py, "add")) {
            Way::Add(add)
        } else if let Ok(append) = object.getattr(intern!(py, "append")) {
            Way::Add(append)
        } else {
            Way::Set
        };
        Ok(Self { object: object.clone(), way })
    }

    pub(crate) fn inject(
        &self,
        headers: &onward::ForwardHeaders,
        destination: Option<&Destination<'_>>,
    ) -> PyResult<()> {
        match &self.way {
            Way::Set => {
                for (name, value) in self.written::<false>(headers, destination)? {
                    self.object.set_item(name, text::decode(self.object.py(), &value)?)?;
                }
            }
            Way::Add(add) => {
                for (name, value) in self.written::<true>(headers, destination)? {
                    add.call1((name, text::decode(add.py(), &value)?))?;
                }
            }
            Way::List(list) => {
                let py = list.py();
                let first = list.iter().next().and_then(|pair| pair.get_item(0).ok());
                let in_bytes = first.is_some_and(|name| name.is_instance_of::<PyBytes>());
                for (name, value) in self.written::<true>(headers, destination)? {
                    if in_bytes {
                        list.append((PyBytes::new(py, name.as_bytes()), PyBytes::new(py, &value)))?;
                    } else {
                        list.append((name, text::decode(py, &value)?))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// What is to be written.
    pub(crate) fn written<const REPEATS: bool>(
        &self,
        headers: &onward::ForwardHeaders,
        destination: Option<&Destination<'_>>,
    ) -> PyResult<Vec<(String, Vec<u8>)>> {
        let existing = lines::collect(&carrier::resolve(&self.object)?)?.present();
        let mut out = Outbound::<REPEATS> { existing, ..Default::default() };
        match destination {
            Some(destination) => headers.inject_to(destination, &mut out),
            None => headers.inject(&mut out),
        }
        Ok(out.into_pairs())
    }
}

fn unsupported(object: &Bound<'_, PyAny>) -> PyErr {
    let class = error::type_name(object);
    let message = format!(
        "headers cannot be written to `{class}`; pass a dict, an object with `add` or `append` (Werkzeug, Starlette, \
         multidict), a list of (name, value) pairs, or a request that has one of them in `.headers`"
    );
    error::carrier(object.py(), &class, &message)
}

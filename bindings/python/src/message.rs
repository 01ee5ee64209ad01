//! The headers of messages: Celery's, pika's, Kafka's and those of their like. Text in them stands for its UTF-8 bytes,
//! as message libraries write it.

use onward::Destination;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

use crate::carrier::{self, Carrier};
use crate::error;
use crate::outbound::{Target, Way};

/// AMQP takes names of up to 255 bytes; only one under a prefix rule can be longer, and that one stays out of a table.
const LONGEST_NAME: usize = 255;

/// Where the headers go.
pub(crate) fn destination(credentials: bool) -> Destination<'static> {
    if credentials { Destination::message_with_credentials() } else { Destination::message() }
}

/// Finds the headers of a message, or of what its consumer is given. Libraries give none at all for a message without.
pub(crate) fn resolve<'py>(message: &Bound<'py, PyAny>) -> PyResult<Carrier<'py>> {
    if message.is_none() || is_blank(message)? {
        return Ok(Carrier::Pairs(PyTuple::empty(message.py()).into_any()));
    }
    Ok(match carrier::resolve(message)? {
        Carrier::Dict(dict) => Carrier::Items { items: dict.items().into_any(), utf8: true },
        Carrier::Pairs(items) | Carrier::Items { items, .. } => Carrier::Items { items, utf8: true },
        environ @ Carrier::Environ(_) => environ,
    })
}

/// Writes what may go into a message.
pub(crate) fn inject(
    headers: &onward::ForwardHeaders,
    message: &Bound<'_, PyAny>,
    credentials: bool,
) -> PyResult<()> {
    if !is_blank(message)? {
        return write(headers, &Target::of(message)?, credentials);
    }
    let table = PyDict::new(message.py());
    write(headers, &Target::of(&table)?, credentials)?;
    if table.is_empty() { Ok(()) } else { message.setattr(intern!(message.py(), "headers"), table) }
}

/// Whether a message has a place for headers, and nothing in it: pika's properties.
fn is_blank(message: &Bound<'_, PyAny>) -> PyResult<bool> {
    let headers = message.getattr_opt(intern!(message.py(), "headers"));
    let headers = headers.map_err(|cause| error::in_carrier(message, cause))?;
    Ok(headers.is_some_and(|headers| headers.is_none()))
}

/// A table gets text, or bytes where there is no text; a list gets bytes, as Kafka's clients take them.
fn write(headers: &onward::ForwardHeaders, target: &Target<'_>, credentials: bool) -> PyResult<()> {
    let py = target.object.py();
    let destination = Some(&destination(credentials));
    match &target.way {
        Way::Set => {
            for (name, bytes) in target.written::<false>(headers, destination)? {
                if name.len() <= LONGEST_NAME {
                    target.object.set_item(name, value(py, &bytes))?;
                }
            }
        }
        Way::Add(add) => {
            for (name, bytes) in target.written::<true>(headers, destination)? {
                add.call1((name, value(py, &bytes)))?;
            }
        }
        Way::List(list) => {
            for (name, bytes) in target.written::<true>(headers, destination)? {
                list.append((name, PyBytes::new(py, &bytes)))?;
            }
        }
    }
    Ok(())
}

/// The text that stands for these bytes in a message; the bytes themselves where there is none.
fn value<'py>(py: Python<'py>, bytes: &[u8]) -> Bound<'py, PyAny> {
    match std::str::from_utf8(bytes) {
        Ok(text) => PyString::new(py, text).into_any(),
        Err(_) => PyBytes::new(py, bytes).into_any(),
    }
}

//! gRPC metadata, whose `-bin` values are bytes in Python and base64 on the wire.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple};

/// The pairs as they stand on the wire, where gRPC writes base64 without padding. None if they are no metadata.
pub(crate) fn on_the_wire<'py>(metadata: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyList>>> {
    if !metadata.is_instance_of::<PyTuple>() && !metadata.is_instance_of::<PyList>() {
        return Ok(None);
    }
    let pairs = PyList::empty(metadata.py());
    for pair in metadata.try_iter()? {
        let (key, value): (Bound<'py, PyAny>, Bound<'py, PyAny>) = pair?.extract()?;
        match value.cast::<PyBytes>() {
            Ok(bytes) if is_binary(&key) => pairs.append((key, base64(bytes)?))?,
            _ => pairs.append((key, value))?,
        }
    }
    Ok(Some(pairs))
}

fn is_binary(key: &Bound<'_, PyAny>) -> bool {
    key.cast::<PyString>().is_ok_and(|key| key.to_string_lossy().ends_with("-bin"))
}

fn base64<'py>(bytes: &Bound<'py, PyBytes>) -> PyResult<Bound<'py, PyAny>> {
    let py = bytes.py();
    let padded = py.import(intern!(py, "binascii"))?.call_method1(intern!(py, "b2a_base64"), (bytes,))?;
    padded.call_method1(intern!(py, "rstrip"), (PyBytes::new(py, b"=\n"),))
}

//! gRPC metadata: what Python makes of it is turned back into what stands on the wire.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple};

/// The pairs as they stand on the wire. None if they are no metadata.
pub(crate) fn on_the_wire<'py>(metadata: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyList>>> {
    if !metadata.is_instance_of::<PyTuple>() && !metadata.is_instance_of::<PyList>() {
        return Ok(None);
    }
    let pairs = PyList::empty(metadata.py());
    for pair in metadata.try_iter()? {
        let (key, value): (Bound<'py, PyAny>, Bound<'py, PyAny>) = pair?.extract()?;
        let value = wire(&key, value)?;
        pairs.append((key, value))?;
    }
    Ok(Some(pairs))
}

fn wire<'py>(key: &Bound<'py, PyAny>, value: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return if is_binary(key) { base64(bytes) } else { Ok(value) };
    }
    // gRPC has decoded it as UTF-8.
    match value.cast::<PyString>().map(|text| text.to_str()) {
        Ok(Ok(text)) if !text.is_ascii() => Ok(PyBytes::new(value.py(), text.as_bytes()).into_any()),
        _ => Ok(value),
    }
}

fn is_binary(key: &Bound<'_, PyAny>) -> bool {
    key.cast::<PyString>().is_ok_and(|key| key.to_string_lossy().ends_with("-bin"))
}

/// Without padding, as gRPC writes it.
fn base64<'py>(bytes: &Bound<'py, PyBytes>) -> PyResult<Bound<'py, PyAny>> {
    let py = bytes.py();
    let padded = py.import(intern!(py, "binascii"))?.call_method1(intern!(py, "b2a_base64"), (bytes,))?;
    padded.call_method1(intern!(py, "rstrip"), (PyBytes::new(py, b"=\n"),))
}

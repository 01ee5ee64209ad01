//! Looks into dicts: nothing is made of a key that is not there, where `PyO3` would ask for an exception.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

/// Whether a dict has a key, without a reference to the value.
#[inline]
pub(crate) fn has(dict: &Bound<'_, PyDict>, key: &Bound<'_, PyString>) -> PyResult<bool> {
    // SAFETY: both are alive, and `dict` is a dict.
    match unsafe { ffi::PyDict_Contains(dict.as_ptr(), key.as_ptr()) } {
        -1 => Err(PyErr::fetch(dict.py())),
        found => Ok(found == 1),
    }
}

/// What a dict has under a key.
#[inline]
pub(crate) fn item<'py>(
    dict: &Bound<'py, PyDict>,
    key: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = dict.py();
    // SAFETY: both are alive. The call gives a borrowed reference, or null.
    unsafe {
        let found = ffi::PyDict_GetItemWithError(dict.as_ptr(), key.as_ptr());
        if found.is_null() && !ffi::PyErr_Occurred().is_null() {
            return Err(PyErr::fetch(py));
        }
        Ok(Bound::from_borrowed_ptr_or_opt(py, found))
    }
}

//! Where the fast path puts what it finds.

use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::plan::Plan;
use crate::script::Memory;
use crate::text;

/// What a fast pass fills.
pub(crate) trait Sink {
    /// Takes the value of a slot; at most one for each slot. False means stop.
    ///
    /// # Safety
    ///
    /// `value` must be a live exact `str` or `bytes`, and `data` its contents.
    unsafe fn put(&mut self, slot: usize, value: *mut ffi::PyObject, data: &[u8]) -> bool;

    /// Whether the slots in `seen` are all that the sink wanted.
    fn is_satisfied(&self, seen: u64) -> bool;

    /// Forgets what it has, for a pass that begins anew.
    fn reset(&mut self);
}

/// Fills a dict that has the keys of the last result already: most requests of a service carry the same
/// headers, and replacing a value costs half of adding a key.
pub(crate) struct Fill<'a, 'py> {
    plan: &'a Plan,
    shape: u64,
    dict: Bound<'py, PyDict>,
}

impl<'a, 'py> Fill<'a, 'py> {
    /// None before there was a result.
    pub(crate) fn new(py: Python<'py>, plan: &'a Plan, memory: &Memory) -> Option<Self> {
        let (shape, template) = plan.likely(memory)?;
        Some(Self { plan, shape, dict: template.bind(py).copy().ok()? })
    }

    pub(crate) fn into_dict(self) -> Bound<'py, PyDict> {
        self.dict
    }
}

impl Sink for Fill<'_, '_> {
    #[inline]
    unsafe fn put(&mut self, slot: usize, value: *mut ffi::PyObject, data: &[u8]) -> bool {
        if self.shape & (1 << slot) == 0 {
            return false;
        }
        let name = self.plan.name(slot).as_ptr();
        // SAFETY: name and value are alive, and the dict is our own.
        unsafe {
            if ffi::Py_TYPE(value) == &raw mut ffi::PyUnicode_Type {
                return ffi::PyDict_SetItem(self.dict.as_ptr(), name, value) == 0 || failed();
            }
            let Ok(size) = ffi::Py_ssize_t::try_from(data.len()) else { return false };
            let text = ffi::PyUnicode_DecodeLatin1(data.as_ptr().cast(), size, ptr::null());
            if text.is_null() {
                return failed();
            }
            let set = ffi::PyDict_SetItem(self.dict.as_ptr(), name, text);
            ffi::Py_DECREF(text);
            set == 0 || failed()
        }
    }

    fn is_satisfied(&self, seen: u64) -> bool {
        seen == self.shape
    }

    /// What a slot has is replaced, and a result in which one was not is never given out.
    fn reset(&mut self) {}
}

/// Out of memory: the reference path will meet it again, and raise it.
#[cold]
fn failed() -> bool {
    // SAFETY: a sink is used only where the interpreter is attached.
    unsafe { ffi::PyErr_Clear() };
    false
}

/// Keeps the values themselves.
pub(crate) struct Gather {
    seen: u64,
    /// Owned references, at the slots in `seen`.
    values: [*mut ffi::PyObject; Plan::MAX_SLOTS],
}

impl Gather {
    pub(crate) fn new() -> Self {
        Self { seen: 0, values: [ptr::null_mut(); Plan::MAX_SLOTS] }
    }

    /// The slots that have a value, and these values in slot order.
    pub(crate) fn into_parts(mut self, py: Python<'_>) -> (u64, Box<[Py<PyAny>]>) {
        let seen = std::mem::take(&mut self.seen);
        let values = slots(seen)
            // SAFETY: the pointer at each seen slot is an owned reference, which moves into the `Py`.
            .map(|slot| unsafe { Bound::from_owned_ptr(py, self.values[slot]) }.unbind())
            .collect();
        (seen, values)
    }
}

impl Sink for Gather {
    unsafe fn put(&mut self, slot: usize, value: *mut ffi::PyObject, _data: &[u8]) -> bool {
        // SAFETY: `value` is alive; the reference is given back by `into_parts` or `drop`.
        unsafe { ffi::Py_INCREF(value) };
        self.values[slot] = value;
        self.seen |= 1 << slot;
        true
    }

    fn is_satisfied(&self, _seen: u64) -> bool {
        true
    }

    fn reset(&mut self) {
        for slot in slots(std::mem::take(&mut self.seen)) {
            // SAFETY: an owned reference; a sink lives and dies where the interpreter is attached.
            unsafe { ffi::Py_DECREF(self.values[slot]) };
        }
    }
}

impl Drop for Gather {
    fn drop(&mut self) {
        self.reset();
    }
}

/// The numbers of the bits that are set.
pub(crate) fn slots(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let slot = mask.trailing_zeros() as usize;
        mask &= mask.checked_sub(1)?;
        Some(slot)
    })
}

/// Makes the result from gathered values.
pub(crate) fn to_dict<'py>(
    py: Python<'py>,
    plan: &Plan,
    seen: u64,
    values: &[Py<PyAny>],
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (slot, value) in slots(seen).zip(values) {
        let value = value.bind(py);
        match value.cast::<PyString>() {
            Ok(text) => dict.set_item(plan.name(slot), text)?,
            Err(_) => dict.set_item(plan.name(slot), text::decode(py, value.extract()?)?)?,
        }
    }
    Ok(dict)
}

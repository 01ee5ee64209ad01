//! Known keys, found by the hash that a `str` carries with it.

use std::sync::OnceLock;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::text;

/// Keys that are selected, with their slots, and keys that are known to be of no interest.
///
/// The table is good for one process: hashes are seeded at its start.
pub(crate) struct Keys {
    selected: Box<[Option<Key>]>,
    /// Keys that a server writes as constants, so that it is always the same object: `wsgi.input`, `SERVER_NAME`.
    /// Learned on the way; each keeps its object alive, so that no other can have its address.
    ignored: Box<[OnceLock<Py<PyAny>>]>,
}

struct Key {
    hash: ffi::Py_hash_t,
    text: Box<str>,
    slot: usize,
}

/// What is known of a key.
#[derive(Clone, Copy)]
pub(crate) enum Known {
    Slot(usize),
    Ignored,
    No,
}

impl Keys {
    const IGNORED: usize = 128;

    pub(crate) fn new(py: Python<'_>, keys: impl IntoIterator<Item = (usize, String)>) -> PyResult<Self> {
        let mut selected: Vec<Option<Key>> = Vec::new();
        let keys: Vec<_> = keys.into_iter().collect();
        let size = (keys.len() * 4).next_power_of_two().max(16);
        selected.resize_with(size, || None);
        for (slot, text) in keys {
            let hash = PyString::new(py, &text).hash()?;
            let mut at = place(hash, size);
            while selected[at].is_some() {
                at = (at + 1) & (size - 1);
            }
            selected[at] = Some(Key { hash, text: text.into(), slot });
        }
        let ignored = std::iter::repeat_with(OnceLock::new).take(Self::IGNORED).collect();
        Ok(Self { selected: selected.into(), ignored })
    }

    /// Finds a key.
    ///
    /// # Safety
    ///
    /// `key` must be a live exact `str`.
    #[inline]
    pub(crate) unsafe fn find(&self, key: *mut ffi::PyObject) -> Known {
        // SAFETY: a `str` has a hash, and computing it runs no other code.
        let hash = unsafe { ffi::PyObject_Hash(key) };
        let mut at = place(hash, self.selected.len());
        while let Some(known) = &self.selected[at] {
            // SAFETY: `key` is a live `str`.
            if known.hash == hash && unsafe { text::ascii(key) } == Some(known.text.as_bytes()) {
                return Known::Slot(known.slot);
            }
            at = (at + 1) & (self.selected.len() - 1);
        }
        match self.ignored[place(hash, Self::IGNORED)].get() {
            Some(ignored) if ignored.as_ptr() == key => Known::Ignored,
            _ => Known::No,
        }
    }

    /// Remembers that a key is of no interest, if there is room for it.
    ///
    /// # Safety
    ///
    /// `key` must be a live exact `str`, and the interpreter attached.
    #[cold]
    pub(crate) unsafe fn ignore(&self, py: Python<'_>, key: *mut ffi::PyObject) {
        // SAFETY: `key` is a live `str`.
        let (hash, key) = unsafe { (ffi::PyObject_Hash(key), Bound::from_borrowed_ptr(py, key)) };
        let _ = self.ignored[place(hash, Self::IGNORED)].set(key.unbind());
    }
}

#[inline]
#[expect(clippy::cast_sign_loss, reason = "a hash is bits")]
fn place(hash: ffi::Py_hash_t, size: usize) -> usize {
    hash as usize & (size - 1)
}

//! Remembers which keys the last carrier had, in their order, and what became of each.
//!
//! The requests that a service gets from one kind of client have the same headers in the same order, and a server puts
//! its own keys around them always alike. So the next carrier is first compared with the last one, key by key, which
//! costs less than looking every name up. The first difference ends that, and the carrier is read as any other.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard};

use pyo3::ffi;
use pyo3::prelude::*;

use crate::text;

/// The keys of one carrier.
pub(crate) struct Script {
    steps: Vec<Step>,
}

struct Step {
    /// Kept alive, so that no other object can have its address.
    key: Py<PyAny>,
    text: Box<[u8]>,
    slot: Option<u8>,
}

impl Script {
    /// Longer carriers are not worth the memory.
    const MAX_STEPS: usize = 128;

    /// From the keys of a carrier that was read without a stop. `slot` says what became of each.
    ///
    /// # Safety
    ///
    /// Every key must be a live object.
    pub(crate) unsafe fn learn(
        py: Python<'_>,
        keys: &[*mut ffi::PyObject],
        slot: impl Fn(*mut ffi::PyObject) -> Option<usize>,
    ) -> Option<Self> {
        if keys.len() > Self::MAX_STEPS {
            return None;
        }
        let step = |key: &*mut ffi::PyObject| {
            // SAFETY: `key` is alive.
            let text = unsafe { text::exact(*key) }?;
            let slot = slot(*key).map(u8::try_from).transpose().ok()?;
            // SAFETY: `key` is alive.
            let key = unsafe { Bound::from_borrowed_ptr(py, *key) }.unbind();
            Some(Step { key, text: text.into(), slot })
        };
        Some(Self { steps: keys.iter().map(step).collect::<Option<_>>()? })
    }

    pub(crate) fn len(&self) -> usize {
        self.steps.len()
    }

    /// What became of the key at a place, if it is this key.
    ///
    /// # Safety
    ///
    /// `key` must be a live object.
    #[inline]
    pub(crate) unsafe fn at(&self, place: usize, key: *mut ffi::PyObject) -> Was {
        let Some(step) = self.steps.get(place) else { return Was::Another };
        let known = step.key.as_ptr();
        // SAFETY: both are alive.
        let is_known = known == key
            || unsafe { ffi::Py_TYPE(known) == ffi::Py_TYPE(key) && text::exact(key) == Some(&*step.text) };
        match step.slot {
            _ if !is_known => Was::Another,
            Some(slot) => Was::Taken(slot.into()),
            None => Was::PassedOver,
        }
    }
}

/// What a key was in the carrier before.
pub(crate) enum Was {
    /// Selected, into this slot.
    Taken(usize),
    PassedOver,
    /// Not there, or not at this place.
    Another,
}

/// The script for one kind of carrier.
#[derive(Default)]
pub(crate) struct Memory {
    script: Mutex<Option<Script>>,
    /// How often in a row the script did not fit, and how often it was learned.
    misses: AtomicU32,
    learned: AtomicU32,
}

impl Memory {
    /// The script, unless this thread is using it already: allocating can run a finalizer that comes back here.
    #[inline]
    pub(crate) fn get(&self) -> Option<MutexGuard<'_, Option<Script>>> {
        self.script.try_lock().ok()
    }

    #[inline]
    pub(crate) fn hit(&self) {
        self.misses.store(0, Ordering::Relaxed);
    }

    /// Whether to learn again: rarer each time, so that carriers that are all different cost nothing more.
    pub(crate) fn missed(&self) -> bool {
        let misses = self.misses.fetch_add(1, Ordering::Relaxed);
        let learned = self.learned.load(Ordering::Relaxed);
        learned == 0 || misses >= 4 << learned.min(10)
    }

    #[cold]
    pub(crate) fn set(&self, script: Option<Script>) {
        self.learned.fetch_add(1, Ordering::Relaxed);
        self.misses.store(0, Ordering::Relaxed);
        let old = match self.get() {
            Some(mut place) => std::mem::replace(&mut *place, script),
            None => script,
        };
        // Only now: freeing a Python object can run code that comes back here.
        drop(old);
    }
}

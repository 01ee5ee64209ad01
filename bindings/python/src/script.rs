//! Remembers which keys the last carrier had, in their order, and what became of each.
//!
//! The requests that a service gets from one kind of client have the same headers in the same order, and a server puts
//! its own keys around them always alike. So the next carrier is first compared with the last one, key by key, which
//! costs less than looking every name up. The first difference ends that, and the carrier is read as any other.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::text;

/// The keys of one carrier.
pub(crate) struct Script {
    steps: Vec<Step>,
}

/// One of its keys.
pub(crate) struct Step {
    /// A `str` or `bytes`, kept alive so that no other object can have its address.
    key: Py<PyAny>,
    text: Box<[u8]>,
    /// Where its value goes, if it is selected.
    pub(crate) slot: Option<usize>,
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
            let (text, is_exact) = unsafe { (text::name(*key)?, text::exact(*key).is_some()) };
            let key = if is_exact {
                // SAFETY: `key` is alive.
                unsafe { Bound::from_borrowed_ptr(py, *key) }
            } else {
                // An object of another class is not kept alive, nor what it may hold.
                PyString::new(py, std::str::from_utf8(text).ok()?).into_any()
            };
            let slot = slot(key.as_ptr());
            Some(Step { key: key.unbind(), text: text.into(), slot })
        };
        Some(Self { steps: keys.iter().map(step).collect::<Option<_>>()? })
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }
}

impl Step {
    /// Whether it is this key.
    ///
    /// # Safety
    ///
    /// `key` must be a live object.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call for each key of a carrier is a tenth of the whole")]
    pub(crate) unsafe fn is(&self, key: *mut ffi::PyObject) -> bool {
        let known = self.key.as_ptr();
        // SAFETY: both are alive.
        known == key
            || unsafe {
                if ffi::Py_TYPE(known) == ffi::Py_TYPE(key) {
                    text::exact(key) == Some(&*self.text)
                } else {
                    !text::is_bytes(known) && text::of_own_class(key) == Some(&*self.text)
                }
            }
    }
}

/// What is remembered for one kind of carrier, by the number of its keys: clients differ in that, nearly always.
#[derive(Default)]
pub(crate) struct Memories([Memory; 8]);

impl Memories {
    #[inline]
    pub(crate) fn of(&self, keys: usize) -> &Memory {
        &self.0[keys % 8]
    }
}

#[derive(Default)]
pub(crate) struct Memory {
    script: Mutex<Option<Script>>,
    /// How often in a row the script did not fit, and how often it was learned.
    misses: AtomicU32,
    learned: AtomicU32,
    /// Which of the policy's templates the last result had.
    pub(crate) template: AtomicUsize,
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

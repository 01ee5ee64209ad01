//! The fast path: picks the forwarded values straight out of the interpreter's own objects.
//!
//! First the carrier is compared with the one before it (`script`); if they differ, names are looked up.
//!
//! It handles what nearly every request looks like, and stops at anything else: repeated names, characters outside
//! printable ASCII in a `str`, control characters, names under a prefix rule, captures over the limits, subclasses
//! other than of a name's `str`.
//! Then the reference path (`lines`) takes over, which gives everything to the core. A test holds both against each
//! other on all conformance vectors and on random headers.

use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::keys::Known;
use crate::plan::Plan;
use crate::script::Script;
use crate::sink::Sink;
use crate::text;

/// How a fast pass ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Every header was looked at.
    Complete,
    /// Something that only the reference path decides; or a sink that wants no more.
    Stopped,
}

/// One pass: what it has taken so far.
struct Pass<'a, S> {
    plan: &'a Plan,
    sink: &'a mut S,
    seen: u64,
    bytes: usize,
}

impl<S: Sink> Pass<'_, S> {
    /// Takes a value for a slot. False means stop.
    ///
    /// # Safety
    ///
    /// `value` must be a live object, and nothing may free it before this returns.
    #[inline]
    unsafe fn take(&mut self, slot: usize, value: *mut ffi::PyObject) -> bool {
        // SAFETY: `value` is alive; the two types are the interpreter's own.
        unsafe {
            let (value, data) = match text::exact(value) {
                Some(data) => (value, data),
                None => match only_text(value) {
                    Some(only) => only,
                    None => return false,
                },
            };
            let is_good = text::is_plain(data) || (text::is_bytes(value) && text::has_no_control(data));
            if !is_good {
                return false;
            }
            match data.first() {
                None => return true,
                // A value of blanks alone is empty: let the core see.
                Some(b' ') => return false,
                Some(_) => {}
            }
            let bit = 1 << slot;
            if self.seen & bit != 0 {
                return false;
            }
            self.seen |= bit;
            self.bytes += data.len() + self.plan.name_len(slot);
            self.sink.put(slot, value, data)
        }
    }

    fn end(&self) -> End {
        if self.bytes <= self.plan.max_bytes && self.sink.is_satisfied(self.seen) {
            End::Complete
        } else {
            End::Stopped
        }
    }
}

/// The one text in a list, which is how Tornado keeps a value.
///
/// # Safety
///
/// `list` must be a live object, and nothing may free or change it while the result is in use.
unsafe fn only_text<'a>(list: *mut ffi::PyObject) -> Option<(*mut ffi::PyObject, &'a [u8])> {
    // SAFETY: `list` is alive; its type is checked before what is asked of a list.
    unsafe {
        if ffi::Py_TYPE(list) != &raw mut ffi::PyList_Type || ffi::Py_SIZE(list) != 1 {
            return None;
        }
        let item = ffi::PyList_GetItem(list, 0);
        if item.is_null() {
            return None;
        }
        text::exact(item).map(|data| (item, data))
    }
}

/// Reads a dict whose keys may be those of the script, in its order. None if they are not.
///
/// # Safety
///
/// `dict` must be a live exact `dict`.
pub(crate) unsafe fn replay_dict<S: Sink>(
    plan: &Plan,
    script: &Script,
    dict: *mut ffi::PyObject,
    sink: &mut S,
) -> Option<End> {
    let mut pass = Pass { plan, sink, seen: 0, bytes: 0 };
    let mut at = 0;
    let (mut key, mut value) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: see `dict`.
    unsafe {
        if usize::try_from(ffi::PyDict_Size(dict)) != Ok(script.steps().len()) {
            return None;
        }
        for step in script.steps() {
            if ffi::PyDict_Next(dict, &raw mut at, &raw mut key, &raw mut value) == 0 || !step.is(key) {
                return None;
            }
            if let Some(slot) = step.slot
                && !pass.take(slot, value)
            {
                return None;
            }
        }
    }
    (pass.end() == End::Complete).then_some(End::Complete)
}

/// Does the same for a list or tuple of pairs.
///
/// # Safety
///
/// `pairs` must be a live exact `list` or `tuple`.
#[inline(never)]
pub(crate) unsafe fn replay_pairs<S: Sink>(
    plan: &Plan,
    script: &Script,
    pairs: *mut ffi::PyObject,
    sink: &mut S,
) -> Option<End> {
    let mut pass = Pass { plan, sink, seen: 0, bytes: 0 };
    // SAFETY: see `pairs`.
    unsafe {
        let pairs = Pairs::of(pairs);
        if pairs.len() != script.steps().len() {
            return None;
        }
        for (place, step) in script.steps().iter().enumerate() {
            let pair = pairs.at(place)?;
            if !step.is(ffi::PyTuple_GetItem(pair, 0)) {
                return None;
            }
            if let Some(slot) = step.slot
                && !pass.take(slot, ffi::PyTuple_GetItem(pair, 1))
            {
                return None;
            }
        }
    }
    (pass.end() == End::Complete).then_some(End::Complete)
}

/// A list or tuple of pairs.
struct Pairs {
    object: *mut ffi::PyObject,
    /// Checks the place.
    get: unsafe extern "C" fn(*mut ffi::PyObject, ffi::Py_ssize_t) -> *mut ffi::PyObject,
}

impl Pairs {
    /// # Safety
    ///
    /// `object` must be a live exact `list` or `tuple`, and live as long as the result.
    unsafe fn of(object: *mut ffi::PyObject) -> Self {
        // SAFETY: `object` is alive.
        let is_list = unsafe { ffi::Py_TYPE(object) } == &raw mut ffi::PyList_Type;
        Self { object, get: if is_list { ffi::PyList_GetItem } else { ffi::PyTuple_GetItem } }
    }

    fn len(&self) -> usize {
        // SAFETY: both types are of variable size.
        unsafe { ffi::Py_SIZE(self.object) }.cast_unsigned()
    }

    /// The pair at a place, if it is an exact tuple of two.
    #[inline]
    fn at(&self, place: usize) -> Option<*mut ffi::PyObject> {
        // SAFETY: the function is the one for the type. The pair's type is checked before its size is asked.
        unsafe {
            let pair = (self.get)(self.object, place.cast_signed());
            let is_pair = !pair.is_null()
                && ffi::Py_TYPE(pair) == &raw mut ffi::PyTuple_Type
                && ffi::Py_SIZE(pair) == 2;
            is_pair.then_some(pair)
        }
    }
}

/// Reads a WSGI environ, or Django's `META`.
///
/// # Safety
///
/// `dict` must be an exact `dict`.
pub(crate) unsafe fn environ<S: Sink>(plan: &Plan, dict: &Bound<'_, PyDict>, sink: &mut S) -> End {
    let pass = Pass { plan, sink, seen: 0, bytes: 0 };
    // SAFETY: as promised by the caller.
    unsafe {
        if plan.has_prefixes() { environ_pass(pass, dict) } else { environ_lookups(pass, dict.as_ptr()) }
    }
}

/// Looks every selected name up: an environ has more keys than that, and most of them are not ours.
unsafe fn environ_lookups<S: Sink>(mut pass: Pass<'_, S>, dict: *mut ffi::PyObject) -> End {
    for (slot, key) in pass.plan.environ_keys() {
        // SAFETY: both are alive. The borrowed value is used up before anything else runs: `take` reads it, and puts
        // it into a dict that nobody else knows, whose keys are all exact `str`.
        unsafe {
            let value = ffi::PyDict_GetItemWithError(dict, key.as_ptr());
            if !value.is_null() && !pass.take(slot, value) {
                return End::Stopped;
            }
        }
    }
    // SAFETY: the interpreter is attached. A key that is no `str` can raise when it is compared.
    unsafe {
        if !ffi::PyErr_Occurred().is_null() {
            ffi::PyErr_Clear();
            return End::Stopped;
        }
    }
    pass.end()
}

/// Looks at every key: prefix rules leave no other way.
unsafe fn environ_pass<S: Sink>(mut pass: Pass<'_, S>, dict: &Bound<'_, PyDict>) -> End {
    let keys = &pass.plan.environ_known;
    let mut at = 0;
    let (mut key, mut value) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: see `dict`.
    unsafe {
        while ffi::PyDict_Next(dict.as_ptr(), &raw mut at, &raw mut key, &raw mut value) != 0 {
            if ffi::Py_TYPE(key) != &raw mut ffi::PyUnicode_Type {
                return End::Stopped;
            }
            match keys.find(key) {
                Known::Slot(slot) if pass.take(slot, value) => {}
                Known::Ignored => {}
                Known::Slot(_) => return End::Stopped,
                Known::No => match text::ascii(key) {
                    Some(text) if text.starts_with(b"HTTP_") => {
                        if pass.plan.environ_prefixed(text) {
                            return End::Stopped;
                        }
                    }
                    Some(_) => keys.ignore(dict.py(), key),
                    None => return End::Stopped,
                },
            }
        }
    }
    pass.end()
}

/// Reads a dict of header names, in any case, to values.
///
/// # Safety
///
/// `dict` must be a live exact `dict`.
pub(crate) unsafe fn dict<S: Sink>(plan: &Plan, dict: *mut ffi::PyObject, sink: &mut S) -> End {
    let mut pass = Pass { plan, sink, seen: 0, bytes: 0 };
    let mut at = 0;
    let (mut key, mut value) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: `dict` is an exact dict. Nothing in the loop runs Python code that could change it: names and values
    // are exact `str` and `bytes`, and what the sink fills is a dict that nobody else knows.
    unsafe {
        while ffi::PyDict_Next(dict, &raw mut at, &raw mut key, &raw mut value) != 0 {
            match name(plan, key) {
                Name::Slot(slot) if pass.take(slot, value) => {}
                Name::Other => {}
                Name::Slot(_) | Name::Unusual => return End::Stopped,
            }
        }
    }
    pass.end()
}

/// Reads a list or tuple of pairs.
///
/// # Safety
///
/// `pairs` must be a live exact `list` or `tuple`.
pub(crate) unsafe fn pairs<S: Sink>(plan: &Plan, pairs: *mut ffi::PyObject, sink: &mut S) -> End {
    let mut pass = Pass { plan, sink, seen: 0, bytes: 0 };
    // SAFETY: `at` checks what it gives. Everything that is borrowed is used up before any Python code can run
    // (see `dict`).
    unsafe {
        let pairs = Pairs::of(pairs);
        for place in 0..pairs.len() {
            let Some(pair) = pairs.at(place) else { return End::Stopped };
            match name(plan, ffi::PyTuple_GetItem(pair, 0)) {
                Name::Slot(slot) if pass.take(slot, ffi::PyTuple_GetItem(pair, 1)) => {}
                Name::Other => {}
                Name::Slot(_) | Name::Unusual => return End::Stopped,
            }
        }
    }
    pass.end()
}

/// Remembers the keys of a dict that was read without a stop.
///
/// # Safety
///
/// `dict` must be an exact `dict`.
#[cold]
pub(crate) unsafe fn learn_dict(plan: &Plan, dict: &Bound<'_, PyDict>, is_environ: bool) -> Option<Script> {
    let mut keys = Vec::new();
    let mut at = 0;
    let (mut key, mut value) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: see `dict`; a `str` that is a key of it is alive.
    unsafe {
        while ffi::PyDict_Next(dict.as_ptr(), &raw mut at, &raw mut key, &raw mut value) != 0 {
            keys.push(key);
        }
        Script::learn(dict.py(), &keys, |key| {
            if !is_environ {
                return slot(plan, key);
            }
            // `bytes` are no key of an environ.
            if text::is_bytes(key) {
                return None;
            }
            match plan.environ_known.find(key) {
                Known::Slot(slot) => Some(slot),
                Known::Ignored | Known::No => None,
            }
        })
    }
}

/// Remembers the names of pairs that were read without a stop.
///
/// # Safety
///
/// `pairs` must be an exact `list` or `tuple`.
#[cold]
pub(crate) unsafe fn learn_pairs(plan: &Plan, pairs: &Bound<'_, PyAny>) -> Option<Script> {
    let py = pairs.py();
    // SAFETY: `at` checks what it gives.
    unsafe {
        let pairs = Pairs::of(pairs.as_ptr());
        let names: Option<Vec<_>> =
            (0..pairs.len()).map(|place| Some(ffi::PyTuple_GetItem(pairs.at(place)?, 0))).collect();
        Script::learn(py, &names?, |name| slot(plan, name))
    }
}

unsafe fn slot(plan: &Plan, key: *mut ffi::PyObject) -> Option<usize> {
    // SAFETY: as promised by the caller: a live object.
    match unsafe { name(plan, key) } {
        Name::Slot(slot) => Some(slot),
        Name::Other | Name::Unusual => None,
    }
}

enum Name {
    Slot(usize),
    /// Not forwarded.
    Other,
    Unusual,
}

/// # Safety
///
/// `key` must be a live object.
#[inline]
unsafe fn name(plan: &Plan, key: *mut ffi::PyObject) -> Name {
    // SAFETY: as promised by the caller.
    let Some(name) = (unsafe { text::name(key) }) else { return Name::Unusual };
    match plan.select(name) {
        // Pairs of an environ: there the reference path reads other names.
        None if name == b"REQUEST_METHOD" => Name::Unusual,
        None => Name::Other,
        Some(slot) if slot < plan.len() => Name::Slot(slot),
        Some(_) => Name::Unusual,
    }
}

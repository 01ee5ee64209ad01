//! A policy as the fast path uses it: the interpreter's own strings, in slots in policy order.

use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use onward::PlanHeader;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::keys::Keys;
use crate::script::{Memories, Memory};

/// What the fast path knows of a policy. Which names are in it, the core has decided.
pub(crate) struct Plan {
    propagator: onward::Propagator,
    names: Vec<Slot>,
    environ: Vec<(usize, Py<PyString>)>,
    environ_prefixes: Vec<Prefix>,
    pub(crate) environ_known: Keys,
    pub(crate) environ_memory: Memories,
    pub(crate) dict_memory: Memories,
    pub(crate) pairs_memory: Memories,
    pub(crate) max_bytes: usize,
    sieve: Sieve,
    /// Shapes of results, each with a dict that has its keys. Set once and never freed, so that using one costs no
    /// lock and no reference count.
    templates: [OnceLock<(u64, Py<PyDict>)>; 16],
}

struct Slot {
    /// Interned, so that its hash is known and comparing it is comparing pointers.
    name: Py<PyString>,
    text: Box<str>,
}

impl Plan {
    /// One bit for each name.
    pub(crate) const MAX_SLOTS: usize = 64;

    /// None for a policy of more names than there are slots: it is run by the reference path alone.
    pub(crate) fn new(py: Python<'_>, propagator: &onward::Propagator) -> PyResult<Option<Self>> {
        let policy = propagator.plan();
        if policy.headers.len() > Self::MAX_SLOTS {
            return Ok(None);
        }
        let key = |header: &PlanHeader| environ_key(&header.name);
        let environ = policy
            .headers
            .iter()
            .enumerate()
            .filter_map(|(slot, header)| Some((slot, PyString::intern(py, &key(header)?).unbind())))
            .collect();
        let keys = policy.headers.iter().enumerate().filter_map(|(slot, header)| Some((slot, key(header)?)));
        let environ_known = Keys::new(py, keys)?;
        let environ_prefixes = policy.prefixes.iter().filter_map(|it| Some(Prefix::new(key(it)?))).collect();
        let sieve = Sieve::new(&policy);
        let names = policy
            .headers
            .into_iter()
            .map(|header| Slot {
                name: PyString::intern(py, &header.name).unbind(),
                text: header.name.into(),
            })
            .collect();
        Ok(Some(Self {
            propagator: propagator.clone(),
            names,
            environ,
            environ_prefixes,
            environ_known,
            environ_memory: Memories::default(),
            dict_memory: Memories::default(),
            pairs_memory: Memories::default(),
            max_bytes: policy.max_bytes,
            sieve,
            templates: Default::default(),
        }))
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn name(&self, slot: usize) -> &Py<PyString> {
        &self.names[slot].name
    }

    pub(crate) fn text(&self, slot: usize) -> &str {
        &self.names[slot].text
    }

    pub(crate) fn name_len(&self, slot: usize) -> usize {
        self.names[slot].text.len()
    }

    pub(crate) fn environ_keys(&self) -> impl Iterator<Item = (usize, &Py<PyString>)> {
        self.environ.iter().map(|(slot, key)| (*slot, key))
    }

    pub(crate) fn has_prefixes(&self) -> bool {
        !self.environ_prefixes.is_empty()
    }

    pub(crate) fn environ_prefixed(&self, key: &[u8]) -> bool {
        self.environ_prefixes.iter().any(|prefix| prefix.begins(key))
    }

    /// The slot of a name in any case. A number past the last slot means a prefix rule.
    #[inline]
    pub(crate) fn select(&self, name: &[u8]) -> Option<usize> {
        if self.sieve.passes(name) { self.propagator.rank(name) } else { None }
    }

    /// The shape that the last result had for such a carrier, and a dict with its keys.
    #[inline]
    pub(crate) fn likely(&self, memory: &Memory) -> Option<(u64, &Py<PyDict>)> {
        let (shape, dict) = self.templates.get(memory.template.load(Ordering::Relaxed))?.get()?;
        Some((*shape, dict))
    }

    /// Remembers that a result had this shape. A policy that meets more shapes than there are places for does without
    /// a template for the rest.
    #[cold]
    pub(crate) fn remember(&self, py: Python<'_>, memory: &Memory, shape: u64) -> PyResult<()> {
        for (at, template) in self.templates.iter().enumerate() {
            if template.get().is_none() {
                let dict = PyDict::new(py);
                for slot in crate::sink::slots(shape) {
                    dict.set_item(self.name(slot), py.None())?;
                }
                // Another thread may have been here first; then this looks at what it has set.
                let _ = template.set((shape, dict.unbind()));
            }
            if template.get().is_some_and(|(known, _)| *known == shape) {
                memory.template.store(at, Ordering::Relaxed);
                break;
            }
        }
        Ok(())
    }
}

/// The prefix of an environ's keys.
struct Prefix {
    key: Box<[u8]>,
    /// Its first letters behind `HTTP_`, and which bits of eight letters they are.
    head: u64,
    mask: u64,
}

impl Prefix {
    fn new(key: String) -> Self {
        let letters = key.as_bytes().get(Self::BEHIND..).unwrap_or_default();
        let (mut head, mut mask) = ([0; 8], [0; 8]);
        for (at, letter) in letters.iter().take(8).enumerate() {
            (head[at], mask[at]) = (*letter, 0xFF);
        }
        Self { head: u64::from_le_bytes(head), mask: u64::from_le_bytes(mask), key: key.into_bytes().into() }
    }

    const BEHIND: usize = "HTTP_".len();

    #[inline]
    fn begins(&self, key: &[u8]) -> bool {
        // Most keys are told apart by one comparison.
        if let Some(letters) = key.get(Self::BEHIND..).and_then(<[u8]>::first_chunk)
            && u64::from_le_bytes(*letters) & self.mask != self.head
        {
            return false;
        }
        key.starts_with(&self.key)
    }
}

/// Turns most names away before they are looked up: a bit for each length, first and last letter that is selected.
struct Sieve([u64; 8]);

impl Sieve {
    fn new(policy: &onward::Plan) -> Self {
        let mut sieve = Self([0; 8]);
        if !policy.prefixes.is_empty() {
            return Self([u64::MAX; 8]);
        }
        for header in &policy.headers {
            let (word, bit) = Self::place(header.name.as_bytes());
            sieve.0[word] |= bit;
        }
        sieve
    }

    #[inline]
    fn place(name: &[u8]) -> (usize, u64) {
        let letter = |letter: Option<&u8>| usize::from(letter.copied().unwrap_or(0) | 0x20);
        let place = name.len() * 7 + letter(name.first()) * 5 + letter(name.last()) * 17;
        (place >> 6 & 7, 1 << (place & 63))
    }

    #[inline]
    fn passes(&self, name: &[u8]) -> bool {
        let (word, bit) = Self::place(name);
        self.0[word] & bit != 0
    }
}

/// The key of a header in a WSGI environ (PEP 3333). None where no environ can tell the name from another: both
/// `-` and `_` become `_` there.
fn environ_key(name: &str) -> Option<String> {
    let key = name.to_ascii_uppercase().replace('-', "_");
    if name.contains('_') {
        None
    } else if WITHOUT_HTTP.contains(&key.as_str()) {
        Some(key)
    } else {
        Some(format!("HTTP_{key}"))
    }
}

/// The two headers that CGI, and with it an environ, has under their own names.
const WITHOUT_HTTP: [&str; 2] = ["CONTENT_TYPE", "CONTENT_LENGTH"];

fn is_without_http(key: &[u8]) -> bool {
    WITHOUT_HTTP.iter().any(|special| special.as_bytes() == key)
}

/// The header that an environ's key stands for.
pub(crate) fn environ_name(key: &[u8]) -> Option<Vec<u8>> {
    let name = match key.strip_prefix(b"HTTP_") {
        // Some servers set these two both ways.
        Some(name) if is_without_http(name) => return None,
        Some(name) => name,
        None if is_without_http(key) => key,
        None => return None,
    };
    Some(name.iter().map(|byte| if *byte == b'_' { b'-' } else { byte.to_ascii_lowercase() }).collect())
}

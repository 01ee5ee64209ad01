//! A policy as the fast path uses it: the interpreter's own strings, in slots in policy order.

use std::sync::Mutex;

use onward::PlanHeader;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

/// What the fast path knows of a policy. Which names are in it, the core has decided.
pub(crate) struct Plan {
    propagator: onward::Propagator,
    names: Vec<Slot>,
    environ: Vec<(usize, Py<PyString>)>,
    environ_prefixes: Vec<Box<[u8]>>,
    pub(crate) max_bytes: usize,
    /// The shape of the last result, and a dict that has its keys.
    template: Mutex<Option<(u64, Py<PyDict>)>>,
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
    pub(crate) fn new(py: Python<'_>, propagator: &onward::Propagator) -> Option<Self> {
        let policy = propagator.plan();
        if policy.headers.len() > Self::MAX_SLOTS {
            return None;
        }
        let key = |header: &PlanHeader| environ_key(&header.name);
        let environ = policy
            .headers
            .iter()
            .enumerate()
            .filter_map(|(slot, header)| Some((slot, PyString::intern(py, &key(header)?).unbind())))
            .collect();
        let environ_prefixes = policy.prefixes.iter().filter_map(|it| Some(key(it)?.into_bytes().into())).collect();
        let names = policy
            .headers
            .into_iter()
            .map(|header| Slot { name: PyString::intern(py, &header.name).unbind(), text: header.name.into() })
            .collect();
        Some(Self {
            propagator: propagator.clone(),
            names,
            environ,
            environ_prefixes,
            max_bytes: policy.max_bytes,
            template: Mutex::new(None),
        })
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
        self.environ_prefixes.iter().any(|prefix| key.starts_with(prefix))
    }

    /// The slot of a name in any case. A number past the last slot means a prefix rule.
    #[inline]
    pub(crate) fn select(&self, name: &[u8]) -> Option<usize> {
        self.propagator.rank(name)
    }

    pub(crate) fn template(&self, py: Python<'_>) -> Option<(u64, Py<PyDict>)> {
        let template = self.template.try_lock().ok()?;
        template.as_ref().map(|(shape, dict)| (*shape, dict.clone_ref(py)))
    }

    /// Remembers the shape of a result.
    pub(crate) fn remember(&self, py: Python<'_>, shape: u64) -> PyResult<()> {
        let dict = PyDict::new(py);
        for slot in crate::sink::slots(shape) {
            dict.set_item(self.name(slot), py.None())?;
        }
        let old = match self.template.try_lock() {
            Ok(mut template) => template.replace((shape, dict.unbind())),
            Err(_) => None,
        };
        // Only now: freeing a Python object can run code that comes back here.
        drop(old);
        Ok(())
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

//! The store's traces with their verdicts, computed once per change of the store.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::collector::store::{Snapshot, Store};
use crate::collector::trace::Trace;
use crate::collector::verdict::{Break, judge};

/// Judges what the store holds.
pub(super) struct Judge {
    store: Arc<Store>,
    settle: Duration,
    cached: Mutex<Option<Arc<Judged>>>,
}

/// All traces of one revision and what is broken about each.
pub(super) struct Judged {
    pub(super) snapshot: Snapshot,
    pub(super) breaks: Vec<Vec<Break>>,
    /// All services, in the order in which requests came to them, from the oldest trace on.
    pub(super) services: Vec<String>,
    by_id: HashMap<String, usize>,
}

/// [`Judged`] as seen now: what is still arriving depends on the time.
pub(super) struct View {
    pub(super) judged: Arc<Judged>,
    now: Instant,
    settle: Duration,
}

/// What is known about a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// One tree, and nothing says that a part is missing.
    Whole,
    /// Incomplete, but its last span came so recently that the rest may be on its way.
    Arriving,
    /// In pieces.
    Broken,
}

impl Judge {
    pub(super) fn new(store: Arc<Store>, settle: Duration) -> Self {
        Self { store, settle, cached: Mutex::new(None) }
    }

    pub(super) fn view(&self) -> View {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        let revision = self.store.counts().revision;
        let judged = match cached.as_ref().filter(|judged| judged.snapshot.counts.revision == revision) {
            Some(judged) => Arc::clone(judged),
            None => Arc::clone(cached.insert(Arc::new(Judged::new(self.store.snapshot())))),
        };
        View { judged, now: Instant::now(), settle: self.settle }
    }
}

impl Judged {
    fn new(snapshot: Snapshot) -> Self {
        let breaks = judge(&snapshot.traces);
        let by_id =
            snapshot.traces.iter().enumerate().map(|(index, trace)| (trace.id.clone(), index)).collect();
        let services = services(&snapshot.traces);
        Self { snapshot, breaks, services, by_id }
    }
}

fn services(traces: &[Trace]) -> Vec<String> {
    let mut seen: HashSet<&str> = HashSet::new();
    let rows = traces
        .iter()
        .flat_map(|trace| trace.rows().into_iter().map(|row| trace.spans[row.span].service.as_str()));
    rows.filter(|name| seen.insert(name)).map(str::to_owned).collect()
}

impl View {
    pub(super) fn traces(&self) -> &[Trace] {
        &self.judged.snapshot.traces
    }

    pub(super) fn find(&self, id: &str) -> Option<usize> {
        self.judged.by_id.get(id).copied()
    }

    pub(super) fn state(&self, index: usize) -> State {
        let breaks = &self.judged.breaks[index];
        let quiet = self.now.saturating_duration_since(self.judged.snapshot.last_arrivals[index]);
        if breaks.is_empty() {
            State::Whole
        } else if quiet < self.settle && breaks.iter().all(Break::may_mend) {
            State::Arriving
        } else {
            State::Broken
        }
    }
}

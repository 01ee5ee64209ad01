//! Where spans live: in memory, and never more of them than the bound allows.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::span::{Span, trace_id};
use super::trace::Trace;

/// How many bytes one span may use on average before the byte bound evicts earlier than the span bound.
const AVERAGE_SPAN_BYTES: usize = 8 * 1024;
/// So many evicted traces are remembered, so that their late spans do not come back as broken traces.
const REMEMBERED_EVICTIONS: usize = 4096;

/// The spans that arrived, by trace. Shared between tasks as `Arc<Store>`; every method takes `&self`.
///
/// Over the bound the oldest traces go, each as a whole: half a trace would look like a broken one.
///
/// ```
/// use onward_mesh::collector::{span::Span, store::Store};
///
/// let span = |trace: &str| Span { trace_id: trace.into(), id: "01".into(), ..Span::default() };
/// let store = Store::new(2);
/// store.add(vec![span("a"), span("b"), span("c")]);
/// assert_eq!(store.len(), 2);
/// assert_eq!(store.counts().evicted_traces, 1);
/// assert!(store.trace("a").is_none());
/// ```
#[derive(Debug)]
pub struct Store {
    max_spans: usize,
    max_bytes: usize,
    inner: Mutex<Inner>,
}

/// What the store holds, and what it had to let go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Spans held now.
    pub spans: usize,
    /// Traces held now.
    pub traces: usize,
    /// The bound on spans.
    pub max_spans: usize,
    /// Traces removed to make room, since the start.
    pub evicted_traces: u64,
    /// Spans refused since the start: late ones of an evicted trace, and those of one trace beyond the bound.
    pub refused_spans: u64,
    /// Grows with every change.
    pub revision: u64,
}

/// Everything the store held at one moment, the oldest trace first.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The traces.
    pub traces: Vec<Trace>,
    /// When the last span of each trace arrived, in the same order.
    pub last_arrivals: Vec<Instant>,
    /// What the store held and had let go.
    pub counts: Counts,
}

#[derive(Debug, Default)]
struct Inner {
    /// By age: the key counts traces as they first arrive.
    traces: BTreeMap<u64, Entry>,
    by_id: HashMap<String, u64>,
    next: u64,
    bytes: usize,
    counts: Counts,
    evicted: HashSet<String>,
    evicted_order: VecDeque<String>,
}

#[derive(Debug)]
struct Entry {
    trace: Trace,
    bytes: usize,
    last_arrival: Instant,
}

impl Store {
    /// An empty store for at most `max_spans` spans (at least one), and 8 KiB times as many bytes.
    pub fn new(max_spans: usize) -> Self {
        let max_spans = max_spans.max(1);
        let inner = Inner { counts: Counts { max_spans, ..Counts::default() }, ..Inner::default() };
        Self { max_spans, max_bytes: max_spans.saturating_mul(AVERAGE_SPAN_BYTES), inner: Mutex::new(inner) }
    }

    /// Adds spans. One that was reported before (same id, kind and service) replaces the earlier report.
    pub fn add(&self, spans: Vec<Span>) {
        if spans.is_empty() {
            return;
        }
        let now = Instant::now();
        let mut inner = self.lock();
        for span in spans {
            inner.add(span, now, self.max_spans, self.max_bytes);
        }
        inner.counts.revision += 1;
    }

    /// How many spans it holds.
    pub fn len(&self) -> usize {
        self.lock().counts.spans
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All spans, trace by trace, the oldest trace first.
    pub fn spans(&self) -> Vec<Arc<Span>> {
        self.lock().traces.values().flat_map(|entry| entry.trace.spans.iter().cloned()).collect()
    }

    /// All traces, the oldest (by arrival of its first span) first.
    pub fn traces(&self) -> Vec<Trace> {
        self.lock().traces.values().map(|entry| entry.trace.clone()).collect()
    }

    /// Everything it holds, as of one moment.
    pub fn snapshot(&self) -> Snapshot {
        let inner = self.lock();
        Snapshot {
            traces: inner.traces.values().map(|entry| entry.trace.clone()).collect(),
            last_arrivals: inner.traces.values().map(|entry| entry.last_arrival).collect(),
            counts: inner.counts,
        }
    }

    /// One trace by its id, in any spelling (upper case, 64-bit without padding).
    pub fn trace(&self, id: &str) -> Option<Trace> {
        let padded = trace_id(id).ok();
        let inner = self.lock();
        let key = inner.by_id.get(id).or_else(|| inner.by_id.get(&padded?))?;
        inner.traces.get(key).map(|entry| entry.trace.clone())
    }

    /// What it holds and what it let go.
    pub fn counts(&self) -> Counts {
        self.lock().counts
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No code that can panic runs under the lock in the middle of a change.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn add(&mut self, span: Span, now: Instant, max_spans: usize, max_bytes: usize) {
        if self.evicted.contains(&span.trace_id) {
            self.counts.refused_spans += 1;
            return;
        }
        let key = self.key_of(&span.trace_id, now);
        let size = span.size();
        while self.counts.spans >= max_spans || self.bytes.saturating_add(size) > max_bytes {
            if !self.evict_oldest_but(key) {
                // One trace fills the whole store: the spans beyond the bound are refused.
                self.counts.refused_spans += 1;
                self.remove_if_empty(key);
                return;
            }
        }
        let Some(entry) = self.traces.get_mut(&key) else { return };
        entry.last_arrival = now;
        let same = |old: &Arc<Span>| {
            old.id == span.id
                && old.kind == span.kind
                && old.service == span.service
                && old.shared == span.shared
        };
        if let Some(old) = entry.trace.spans.iter_mut().find(|old| same(old)) {
            let before = old.size();
            *old = Arc::new(span);
            entry.bytes = entry.bytes - before + size;
            self.bytes = self.bytes - before + size;
        } else {
            entry.trace.spans.push(Arc::new(span));
            entry.bytes += size;
            self.bytes += size;
            self.counts.spans += 1;
        }
    }

    fn key_of(&mut self, id: &str, now: Instant) -> u64 {
        if let Some(key) = self.by_id.get(id) {
            return *key;
        }
        let key = self.next;
        self.next += 1;
        self.by_id.insert(id.to_owned(), key);
        let trace = Trace { id: id.to_owned(), spans: Vec::new() };
        self.traces.insert(key, Entry { trace, bytes: 0, last_arrival: now });
        self.counts.traces += 1;
        key
    }

    fn evict_oldest_but(&mut self, keep: u64) -> bool {
        let oldest = self.traces.keys().copied().find(|key| *key != keep);
        let Some(entry) = oldest.and_then(|key| self.traces.remove(&key)) else { return false };
        self.by_id.remove(&entry.trace.id);
        self.bytes -= entry.bytes;
        self.counts.spans -= entry.trace.spans.len();
        self.counts.traces -= 1;
        self.counts.evicted_traces += 1;
        self.remember(entry.trace.id);
        true
    }

    fn remember(&mut self, id: String) {
        if self.evicted_order.len() == REMEMBERED_EVICTIONS
            && let Some(forgotten) = self.evicted_order.pop_front()
        {
            self.evicted.remove(&forgotten);
        }
        self.evicted.insert(id.clone());
        self.evicted_order.push_back(id);
    }

    fn remove_if_empty(&mut self, key: u64) {
        if self.traces.get(&key).is_some_and(|entry| entry.trace.spans.is_empty())
            && let Some(entry) = self.traces.remove(&key)
        {
            self.by_id.remove(&entry.trace.id);
            self.counts.traces -= 1;
        }
    }
}

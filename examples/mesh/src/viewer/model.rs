//! What the page draws, as JSON. Field names are the page's; nothing here depends on a wire format.
//! Times are microseconds.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

pub use super::judged::State;
use super::judged::View;
use crate::collector::links::Link;
use crate::collector::span::{Address, Annotation, Direction, Span};
use crate::collector::store::Counts;
use crate::collector::trace::{Parent, Trace};
use crate::collector::verdict::Break;

/// The list shows so many traces at most, the newest.
pub const MAX_LISTED: usize = 500;
/// A waterfall shows so many spans at most, the first.
pub const MAX_ROWS: usize = 2_000;

/// The list of traces.
#[derive(Debug, Serialize)]
pub struct List {
    /// The store's revision that it shows.
    pub revision: u64,
    counts: Counts,
    services: Vec<String>,
    broken: usize,
    traces: Vec<Summary>,
}

#[derive(Debug, Serialize)]
struct Summary {
    id: String,
    service: String,
    name: String,
    start_us: u64,
    duration_us: u64,
    spans: usize,
    errors: usize,
    services: Vec<ServiceCount>,
    state: State,
    why: Vec<Reason>,
}

#[derive(Debug, Serialize)]
struct ServiceCount {
    name: String,
    spans: usize,
}

/// Why a trace is broken.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Reason {
    sentence: String,
    other_trace: Option<String>,
}

/// One trace as a waterfall.
#[derive(Debug, Serialize)]
pub struct Detail {
    id: String,
    start_us: u64,
    duration_us: u64,
    state: State,
    why: Vec<Reason>,
    services: Vec<ServiceCount>,
    total: usize,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    id: String,
    parent_id: Option<String>,
    depth: usize,
    service: String,
    direction: Option<Direction>,
    name: String,
    /// Microseconds after the start of the trace.
    offset_us: u64,
    duration_us: u64,
    error: bool,
    /// A sign on the row: where the trace is broken.
    flag: Option<&'static str>,
    address: Option<String>,
    remote: Option<String>,
    tags: BTreeMap<String, String>,
    annotations: Vec<Moment>,
}

#[derive(Debug, Serialize)]
struct Moment {
    /// Microseconds after the start of the trace.
    offset_us: u64,
    value: String,
}

/// The service graph.
#[derive(Debug, Serialize)]
pub struct Graph {
    revision: u64,
    nodes: Vec<Node>,
    links: Vec<Link>,
}

#[derive(Debug, Default, Serialize)]
struct Node {
    name: String,
    spans: u64,
    errors: u64,
}

impl List {
    /// Whether some trace is shown as arriving, which changes with time alone.
    pub fn has_arriving(&self) -> bool {
        self.traces.iter().any(|trace| trace.state == State::Arriving)
    }
}

/// The newest traces, the newest first.
pub(super) fn list(view: &View) -> List {
    let traces = view.traces();
    let mut order: Vec<usize> = (0..traces.len()).collect();
    order.sort_by_cached_key(|index| std::cmp::Reverse((traces[*index].start_us(), *index)));
    List {
        revision: view.judged.snapshot.counts.revision,
        counts: view.judged.snapshot.counts,
        services: view.judged.services.clone(),
        broken: order.iter().filter(|index| view.state(**index) == State::Broken).count(),
        traces: order.into_iter().take(MAX_LISTED).map(|index| summary(view, index)).collect(),
    }
}

fn summary(view: &View, index: usize) -> Summary {
    let trace = &view.traces()[index];
    let first = trace.first();
    let state = view.state(index);
    Summary {
        id: trace.id.clone(),
        service: first.map(|span| span.service.clone()).unwrap_or_default(),
        name: first.map(|span| span.name.clone()).unwrap_or_default(),
        start_us: trace.start_us(),
        duration_us: trace.duration_us(),
        spans: trace.spans.len(),
        errors: trace.spans.iter().filter(|span| span.is_error()).count(),
        services: services(trace),
        state,
        why: reasons(state, &view.judged.breaks[index]),
    }
}

/// The waterfall of the trace at `index`.
pub(super) fn detail(view: &View, index: usize) -> Detail {
    let trace = &view.traces()[index];
    let state = view.state(index);
    let breaks = &view.judged.breaks[index];
    let flags = Flags { state, parents: trace.parents(), lost: first_root_is_lost(breaks), roots: 0 };
    Detail {
        id: trace.id.clone(),
        start_us: trace.start_us(),
        duration_us: trace.duration_us(),
        state,
        why: reasons(state, breaks),
        services: services(trace),
        total: trace.spans.len(),
        rows: rows(trace, flags),
    }
}

fn rows(trace: &Trace, mut flags: Flags) -> Vec<Row> {
    let start = trace.start_us();
    // A span without a start is drawn where its parent starts.
    let mut offsets: Vec<u64> = Vec::new();
    let mut rows = Vec::new();
    for place in trace.rows().into_iter().take(MAX_ROWS) {
        let span = &trace.spans[place.span];
        offsets.truncate(place.depth);
        let inherited = offsets.last().copied().unwrap_or(0);
        let offset_us = if span.timestamp_us > 0 { span.timestamp_us - start } else { inherited };
        offsets.push(offset_us);
        rows.push(Row {
            id: span.id.clone(),
            parent_id: span.parent_id.clone(),
            depth: place.depth,
            service: span.service.clone(),
            direction: span.direction(),
            name: span.name.clone(),
            offset_us,
            duration_us: span.duration_us,
            error: span.is_error(),
            flag: flags.of(place.span),
            address: address(&span.host),
            remote: remote(span),
            tags: span.tags.clone(),
            annotations: span.annotations.iter().map(|note| moment(note, start)).collect(),
        });
    }
    rows
}

fn moment(note: &Annotation, start: u64) -> Moment {
    Moment { offset_us: note.timestamp.saturating_sub(start), value: note.value.clone() }
}

struct Flags {
    state: State,
    parents: Vec<Parent>,
    lost: bool,
    roots: usize,
}

impl Flags {
    /// Rows come in order, so the first root seen is the trace's own.
    fn of(&mut self, span: usize) -> Option<&'static str> {
        let is_root = self.parents[span] == Parent::None;
        self.roots += usize::from(is_root);
        match (self.state, self.parents[span]) {
            (State::Broken, Parent::None) if self.lost || self.roots > 1 => Some("became a root"),
            (State::Broken, Parent::Missing) => Some("parent not reported"),
            (State::Arriving, Parent::Missing) => Some("parent not here yet"),
            _ => None,
        }
    }
}

fn first_root_is_lost(breaks: &[Break]) -> bool {
    breaks.iter().any(|each| matches!(each, Break::LostContext { .. }))
}

/// The graph of all services.
pub(super) fn graph(view: &View, links: Vec<Link>) -> Graph {
    let mut nodes: BTreeMap<&str, Node> = BTreeMap::new();
    for span in view.traces().iter().flat_map(|trace| &trace.spans) {
        let node = nodes.entry(&span.service).or_default();
        node.spans += 1;
        node.errors += u64::from(span.is_error());
    }
    for link in &links {
        // A service that reported nothing itself is known from its callers.
        nodes.entry(&link.child).or_default();
    }
    let named = nodes.into_iter().map(|(name, node)| Node { name: name.to_owned(), ..node }).collect();
    Graph { revision: view.judged.snapshot.counts.revision, nodes: named, links }
}

fn reasons(state: State, breaks: &[Break]) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = Vec::new();
    for each in breaks.iter().filter(|_| state == State::Broken) {
        let reason = Reason { sentence: each.sentence(), other_trace: each.other_trace().map(str::to_owned) };
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons
}

/// The services of a trace in the order in which the request came to them.
fn services(trace: &Trace) -> Vec<ServiceCount> {
    let mut counted: Vec<ServiceCount> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for row in trace.rows() {
        let name = trace.spans[row.span].service.as_str();
        let place = *places.entry(name).or_insert_with(|| {
            counted.push(ServiceCount { name: name.to_owned(), spans: 0 });
            counted.len() - 1
        });
        counted[place].spans += 1;
    }
    counted
}

fn remote(span: &Span) -> Option<String> {
    let remote = span.remote.as_ref()?;
    let parts: Vec<String> = remote.service.clone().into_iter().chain(address(&remote.address)).collect();
    (!parts.is_empty()).then(|| parts.join(" at "))
}

fn address(address: &Address) -> Option<String> {
    let host = match (&address.ipv4, &address.ipv6) {
        (Some(ipv4), _) => ipv4.clone(),
        (None, Some(ipv6)) => format!("[{ipv6}]"),
        (None, None) => return None,
    };
    Some(address.port.map_or(host.clone(), |port| format!("{host}:{port}")))
}

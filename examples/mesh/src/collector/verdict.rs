//! Is a trace whole? If not: which service lost the headers, in a sentence.
//!
//! A trace that lost its headers on the way is often no broken tree but two neat ones: the first ends where the
//! headers were dropped, the second starts with an outbound call. So traces are judged together.

use std::collections::{HashMap, HashSet};

use super::span::{Direction, Span};
use super::trace::Trace;

/// One way in which a trace is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Break {
    /// The trace starts with an outbound call of a service that was handling a request of another trace.
    LostContext {
        /// The service that did not forward its headers.
        service: String,
        /// The trace that the call belongs to, if there is no doubt which.
        belongs_to: Option<String>,
    },
    /// The trace ends where a service dropped its headers; the rest of the request is another trace.
    GoesOnElsewhere {
        /// The service that did not forward its headers.
        service: String,
        /// The trace with the rest; none if several requests were open at that time and any could be its first part.
        trace: Option<String>,
    },
    /// More than one span has no parent.
    SeveralRoots {
        /// Services with an outbound call among the surplus roots, in the order of the calls.
        services: Vec<String>,
        /// How many roots there are.
        roots: usize,
    },
    /// A span names a parent that nobody reported.
    MissingParent {
        /// The service of the span that names it.
        service: String,
        /// Which side of the call that span is.
        direction: Option<Direction>,
        /// The id of the parent that is missing.
        parent: String,
    },
    /// Spans are each other's ancestors.
    Loop,
}

impl Break {
    /// What happened and who is to blame, for a person.
    pub fn sentence(&self) -> String {
        match self {
            Self::LostContext { service, belongs_to: Some(_) } => format!(
                "{service} did not forward its trace headers: its outbound call started this new trace instead of joining the request that it was handling."
            ),
            Self::LostContext { service, belongs_to: None } => format!(
                "{service} did not forward its trace headers: its outbound call started this new trace while it was handling requests of others."
            ),
            Self::GoesOnElsewhere { service, trace: Some(_) } => format!(
                "{service} did not forward its trace headers: the trace ends there, and the rest of this request is in another one."
            ),
            Self::GoesOnElsewhere { service, trace: None } => format!(
                "{service} did not forward its trace headers: the trace ends there, and the rest of this request is most likely in another one."
            ),
            Self::SeveralRoots { services, roots } if services.is_empty() => {
                format!(
                    "{roots} spans of this trace have no parent: a service in between did not forward its span id."
                )
            }
            Self::SeveralRoots { services, roots } => format!(
                "{} did not forward the span id of the request: an outbound call of it has become a root, so this trace has {roots} roots.",
                services.join(", ")
            ),
            Self::MissingParent { service, direction: Some(Direction::Egress), parent } => format!(
                "{service} called on with the span id {parent}, which nobody reported: it did not forward the headers it received unchanged."
            ),
            Self::MissingParent { service, parent, .. } => format!(
                "{service} was called with the parent span {parent}, which nobody reported: its caller did not forward its headers unchanged, or has not reported."
            ),
            Self::Loop => {
                "Some spans name each other as parents: their ids were mixed up on the way.".to_owned()
            }
        }
    }

    /// The other half of the request, where it is known.
    pub fn other_trace(&self) -> Option<&str> {
        match self {
            Self::LostContext { belongs_to, .. } => belongs_to.as_deref(),
            Self::GoesOnElsewhere { trace, .. } => trace.as_deref(),
            _ => None,
        }
    }

    /// Whether spans that are still on their way could mend it.
    pub fn may_mend(&self) -> bool {
        matches!(self, Self::MissingParent { .. } | Self::GoesOnElsewhere { trace: None, .. })
    }
}

/// Judges all traces that are known, together: for each one, in the same order, what is broken about it.
/// An empty list means that the trace is whole.
///
/// # Limitations
///
/// A service that calls others on its own account (a background job) while it also handles a request is taken
/// for one that forgot the headers. Clocks of different machines are trusted.
pub fn judge(traces: &[Trace]) -> Vec<Vec<Break>> {
    let mut verdicts: Vec<Vec<Break>> = traces.iter().map(judge_alone).collect();
    let handling = Handling::of(traces);
    for (index, trace) in traces.iter().enumerate() {
        let roots = trace.roots();
        let Some(root) = roots.first().filter(|root| root.direction() == Some(Direction::Egress)) else {
            continue;
        };
        let owners = handling.owners(root, index);
        if owners.is_empty() {
            continue;
        }
        let certain = match owners.as_slice() {
            [owner] => Some(traces[owner.trace].id.clone()),
            _ => None,
        };
        for owner in owners.iter().filter(|owner| certain.is_some() || !owner.calls_on) {
            let half = Break::GoesOnElsewhere {
                service: root.service.clone(),
                trace: certain.is_some().then(|| trace.id.clone()),
            };
            if !verdicts[owner.trace].contains(&half) {
                verdicts[owner.trace].push(half);
            }
        }
        verdicts[index].insert(0, Break::LostContext { service: root.service.clone(), belongs_to: certain });
    }
    verdicts
}

fn judge_alone(trace: &Trace) -> Vec<Break> {
    let mut breaks = Vec::new();
    let roots = trace.roots();
    if roots.len() > 1 {
        let mut services: Vec<String> = Vec::new();
        for root in &roots[1..] {
            if root.direction() == Some(Direction::Egress) && !services.contains(&root.service) {
                services.push(root.service.clone());
            }
        }
        breaks.push(Break::SeveralRoots { services, roots: roots.len() });
    }
    for span in trace.missing_parents() {
        breaks.push(Break::MissingParent {
            service: span.service.clone(),
            direction: span.direction(),
            parent: span.parent_id.clone().unwrap_or_default(),
        });
    }
    if trace.has_loop() {
        breaks.push(Break::Loop);
    }
    breaks
}

/// How much too early a span may seem to end. Envoy takes a span's start from one clock and its length from another, and
/// may be held up between the two readings.
const CLOCK_SLACK_US: u64 = 1_000;

/// Which service was handling which request, and when.
struct Handling<'a> {
    by_service: HashMap<&'a str, Works<'a>>,
}

/// The requests that one service handled, by start.
#[derive(Default)]
struct Works<'a> {
    list: Vec<Work<'a>>,
    longest_us: u64,
}

struct Work<'a> {
    trace: usize,
    start_us: u64,
    end_us: u64,
    request_id: Option<&'a str>,
    /// The service made a call that did join this trace.
    calls_on: bool,
}

impl<'a> Handling<'a> {
    fn of(traces: &'a [Trace]) -> Self {
        let mut by_service: HashMap<&str, Works<'_>> = HashMap::new();
        for (index, trace) in traces.iter().enumerate() {
            let egress = |span: &&Span| span.direction() == Some(Direction::Egress);
            let callers: HashSet<&str> = trace
                .spans
                .iter()
                .map(|span| &**span)
                .filter(egress)
                .map(|span| span.service.as_str())
                .collect();
            for span in trace.spans.iter().filter(|span| span.direction() == Some(Direction::Ingress)) {
                let works = by_service.entry(&span.service).or_default();
                works.longest_us = works.longest_us.max(span.duration_us);
                works.list.push(Work {
                    trace: index,
                    start_us: span.timestamp_us,
                    end_us: span.end_us(),
                    request_id: span.request_id(),
                    calls_on: callers.contains(span.service.as_str()),
                });
            }
        }
        for works in by_service.values_mut() {
            works.list.sort_by_key(|work| work.start_us);
        }
        Self { by_service }
    }

    /// The requests of other traces that the service was handling when it made the call `root`, one a trace. A call
    /// that carries the same `x-request-id` belongs to that request for certain.
    fn owners(&self, root: &Span, own: usize) -> Vec<&Work<'a>> {
        let owners = self.open_at(root, own, 0);
        if owners.is_empty() { self.open_at(root, own, CLOCK_SLACK_US) } else { owners }
    }

    fn open_at(&self, root: &Span, own: usize, slack_us: u64) -> Vec<&Work<'a>> {
        let Some(works) = self.by_service.get(root.service.as_str()) else { return Vec::new() };
        let at = root.timestamp_us;
        let started = works.list.partition_point(|work| work.start_us <= at);
        let earliest = at.saturating_sub(works.longest_us + slack_us);
        let open = works.list[..started].iter().rev().take_while(|work| work.start_us >= earliest);
        let mut owners: Vec<&Work<'_>> =
            open.filter(|work| work.trace != own && work.end_us + slack_us >= at).collect();
        let same_id = |work: &&Work<'_>| work.request_id.is_some() && work.request_id == root.request_id();
        if owners.iter().any(same_id) {
            owners.retain(same_id);
        }
        owners.sort_by_key(|work| work.trace);
        owners.dedup_by_key(|work| work.trace);
        owners
    }
}

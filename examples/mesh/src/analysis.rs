//! Which requests came out as one whole trace.
//!
//! A request is known by the `x-request-id` that the gateway gave it and told the client. Every proxy writes the id
//! that it sees into its spans, so the spans of a request can be found even where they are in several traces. A
//! service that forwards nothing loses that id too: its sidecar makes up a new one, and the torn-off spans belong to
//! nobody. That is why the app's description is needed as well: it says which spans a whole request has, and those
//! that are missing are somewhere else.

use std::collections::{BTreeMap, HashMap};

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{
    app::{App, Hops, word},
    collector::{
        store::Store,
        trace::Trace,
        verdict::{self, Break},
    },
    error::MeshError,
    load::Outcome,
};

/// How many pieces of a broken request are shown.
const MOST_EXAMPLES: usize = 6;

/// What a run has shown.
#[derive(Debug)]
pub struct Report {
    /// Every trace that was collected, the earliest first.
    pub traces: Vec<Judged>,
    /// Every request, by number.
    pub requests: Vec<Request>,
    /// Name and language of every service.
    pub services: Vec<(String, String)>,
}

/// A trace and what is broken about it.
#[derive(Debug)]
pub struct Judged {
    /// The trace.
    pub trace: Trace,
    /// What is broken; nothing if it is whole.
    pub breaks: Vec<Break>,
    /// Whether it is the trace of one of the requests and not a torn-off piece.
    pub belongs_to_a_request: bool,
}

/// A request and what is broken about it.
#[derive(Debug)]
pub struct Request {
    /// Its outcome.
    pub outcome: Outcome,
    /// The traces that its spans are in, as indexes into [`Report::traces`].
    pub traces: Vec<usize>,
    /// Why it is broken, if it is.
    pub problem: Option<Problem>,
}

/// Why a request is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// No span tells of it.
    NoTrace,
    /// Its spans are in more than one trace.
    Split {
        /// How many traces.
        traces: usize,
    },
    /// A span names a parent that nobody reported.
    MissingParent {
        /// The service that reported the span.
        service: String,
    },
    /// Its trace has more than one root.
    SeveralRoots {
        /// How many.
        roots: usize,
    },
    /// Spans that it must have are in no trace of it: they are a trace of their own, or were never reported.
    Incomplete {
        /// What is missing, for example `ratings (ingress)`.
        missing: Vec<String>,
    },
}

impl Problem {
    /// The problem in words.
    pub fn sentence(&self) -> String {
        match self {
            Self::NoTrace => "no span tells of it".into(),
            Self::Split { traces } => format!("its spans are in {traces} traces"),
            Self::MissingParent { service } => {
                format!("a span of {service} has a parent that nobody reported")
            }
            Self::SeveralRoots { roots } => format!("its trace has {roots} roots"),
            Self::Incomplete { missing } => format!("torn off: {}", missing.join(", ")),
        }
    }
}

/// The summary that `cargo xtask demo --json` prints.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// Requests sent.
    pub requests: usize,
    /// Traces collected.
    pub traces: usize,
    /// Spans collected.
    pub spans: usize,
    /// Requests that are not one whole trace.
    pub broken: usize,
    /// Language by service, in the app's order.
    #[serde(serialize_with = "as_map")]
    pub services: Vec<(String, String)>,
}

fn as_map<S: Serializer>(pairs: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(pairs.len()))?;
    for (name, language) in pairs {
        map.serialize_entry(name, language)?;
    }
    map.end()
}

impl Report {
    /// The requests that are not one whole trace.
    pub fn broken(&self) -> impl Iterator<Item = &Request> {
        self.requests.iter().filter(|request| request.problem.is_some())
    }

    /// The requests that were not answered with a 2xx status.
    pub fn failed(&self) -> impl Iterator<Item = &Outcome> {
        self.requests.iter().map(|request| &request.outcome).filter(|outcome| !outcome.succeeded())
    }

    /// The traces that belong to no request: torn-off pieces.
    pub fn pieces(&self) -> impl Iterator<Item = &Judged> {
        self.traces.iter().filter(|judged| !judged.belongs_to_a_request)
    }

    /// Whether every request was answered, every one is one whole trace, and there is nothing else.
    pub fn is_whole(&self) -> bool {
        self.broken().next().is_none() && self.failed().next().is_none() && self.pieces().next().is_none()
    }

    /// A few traces to look at: the first three, or the first broken request with its torn-off pieces.
    pub fn examples(&self) -> Vec<&Judged> {
        let Some(request) = self.broken().next() else { return self.traces.iter().take(3).collect() };
        let mut chosen = request.traces.clone();
        if chosen.is_empty() {
            return self.traces.iter().take(MOST_EXAMPLES).collect();
        }
        let mut at = 0;
        while at < chosen.len() && chosen.len() < MOST_EXAMPLES {
            let others = self.traces[chosen[at]].breaks.iter().filter_map(Break::other_trace);
            for id in others {
                let index = self.traces.iter().position(|judged| judged.trace.id == id);
                chosen.extend(index.filter(|index| !chosen.contains(index)));
            }
            at += 1;
        }
        chosen.sort_unstable();
        chosen.into_iter().take(MOST_EXAMPLES).map(|index| &self.traces[index]).collect()
    }

    /// The numbers.
    pub fn summary(&self) -> Summary {
        Summary {
            requests: self.requests.len(),
            traces: self.traces.len(),
            spans: self.traces.iter().map(|judged| judged.trace.spans.len()).sum(),
            broken: self.broken().count(),
            services: self.services.clone(),
        }
    }
}

/// Judges everything that was collected; `spans_per_hop` is the tracer's.
///
/// # Errors
///
/// [`MeshError::App`] if the app's calls do not fit together.
pub fn analyse(
    app: &App,
    spans_per_hop: usize,
    store: &Store,
    outcomes: Vec<Outcome>,
) -> Result<Report, MeshError> {
    let mut shape = app.shape()?;
    for hops in &mut shape {
        hops.count *= spans_per_hop;
    }
    let mut traces = store.traces();
    traces.sort_by_key(Trace::start_us);
    let breaks = verdict::judge(&traces);
    let mut by_request: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, trace) in traces.iter().enumerate() {
        for id in trace.spans.iter().filter_map(|span| span.request_id()) {
            let indexes = by_request.entry(id.to_owned()).or_default();
            if indexes.last() != Some(&index) {
                indexes.push(index);
            }
        }
    }
    let judge = |outcome: Outcome| {
        let id = outcome.request_id.as_deref().unwrap_or_default();
        let own = by_request.get(id).cloned().unwrap_or_default();
        let problem = problem(&own.iter().map(|index| &traces[*index]).collect::<Vec<_>>(), &shape);
        Request { outcome, traces: own, problem }
    };
    let requests: Vec<_> = outcomes.into_iter().map(judge).collect();
    let mut judged: Vec<_> = traces
        .into_iter()
        .zip(breaks)
        .map(|(trace, breaks)| Judged { trace, breaks, belongs_to_a_request: false })
        .collect();
    for index in requests.iter().flat_map(|request| &request.traces) {
        judged[*index].belongs_to_a_request = true;
    }
    let services =
        app.services.iter().map(|service| (service.name.clone(), service.language.clone())).collect();
    Ok(Report { traces: judged, requests, services })
}

fn problem(traces: &[&Trace], shape: &[Hops]) -> Option<Problem> {
    let trace = match traces {
        [] => return Some(Problem::NoTrace),
        [trace] => trace,
        several => return Some(Problem::Split { traces: several.len() }),
    };
    if let Some(span) = trace.missing_parents().first() {
        return Some(Problem::MissingParent { service: span.service.clone() });
    }
    let roots = trace.roots().len();
    if roots != 1 {
        return Some(Problem::SeveralRoots { roots });
    }
    let missing = missing(trace, shape);
    (!missing.is_empty()).then_some(Problem::Incomplete { missing })
}

/// The hops of a whole request that a trace lacks. More than expected is fine: a call may have been tried again.
fn missing(trace: &Trace, shape: &[Hops]) -> Vec<String> {
    let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for span in &trace.spans {
        if let Some(direction) = span.direction() {
            *seen.entry((&span.service, word(direction))).or_default() += 1;
        }
    }
    let count = |hops: &Hops| seen.get(&(hops.service.as_str(), word(hops.direction))).copied().unwrap_or(0);
    let absent = shape.iter().filter(|hops| count(hops) < hops.count);
    absent.map(|hops| format!("{} ({})", hops.service, word(hops.direction))).collect()
}

//! The questions of Zipkin's `GET /api/v2/traces`.

use std::collections::HashMap;

use super::span::Span;
use super::trace::Trace;

/// Which traces are wanted. The default wants the ten newest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Some span is of this service.
    pub service: Option<String>,
    /// Some span (of that service) has this name.
    pub span_name: Option<String>,
    /// Each of these tags (with that value, if given) or annotations is on some span of that service.
    pub annotations: Vec<(String, Option<String>)>,
    /// Some span (of that service) takes at least so many microseconds.
    pub min_duration_us: Option<u64>,
    /// ... and at most so many.
    pub max_duration_us: Option<u64>,
    /// Only traces that started at this time or before, in microseconds since 1970.
    pub end_us: Option<u64>,
    /// Only traces that started so many microseconds before `end_us` (or now) or later.
    pub lookback_us: Option<u64>,
    /// So many traces at most, the newest.
    pub limit: usize,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            service: None,
            span_name: None,
            annotations: Vec::new(),
            min_duration_us: None,
            max_duration_us: None,
            end_us: None,
            lookback_us: None,
            limit: 10,
        }
    }
}

/// Why a question was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{parameter}={value:?} is not a whole number")]
pub struct QueryError {
    parameter: &'static str,
    value: String,
}

impl Query {
    /// Reads Zipkin's parameters: `serviceName`, `spanName`, `annotationQuery`, `minDuration`, `maxDuration`
    /// (microseconds), `endTs`, `lookback` (milliseconds), `limit`. Unknown ones are ignored.
    ///
    /// # Errors
    ///
    /// [`QueryError`] if a number is none.
    pub fn from_parameters(given: &HashMap<String, String>) -> Result<Self, QueryError> {
        let text = |name: &str| given.get(name).filter(|value| !value.is_empty());
        let number = |parameter: &'static str| {
            text(parameter)
                .map(|value| value.parse::<u64>().map_err(|_| QueryError { parameter, value: value.clone() }))
                .transpose()
        };
        // Zipkin's own page sends `all` where it means no filter.
        let named = |name: &str| text(name).filter(|value| *value != "all").map(|value| value.to_lowercase());
        Ok(Self {
            service: named("serviceName"),
            span_name: named("spanName"),
            annotations: text("annotationQuery").map(|query| annotation_terms(query)).unwrap_or_default(),
            min_duration_us: number("minDuration")?,
            max_duration_us: number("maxDuration")?,
            end_us: number("endTs")?.map(|millis| millis.saturating_mul(1000)),
            lookback_us: number("lookback")?.map(|millis| millis.saturating_mul(1000)),
            limit: number("limit")?.map_or(10, |limit| usize::try_from(limit).unwrap_or(usize::MAX)),
        })
    }

    /// The traces that are wanted, the newest first.
    pub fn select(&self, traces: Vec<Trace>, now_us: u64) -> Vec<Trace> {
        let mut wanted: Vec<Trace> = traces.into_iter().filter(|trace| self.wants(trace, now_us)).collect();
        wanted.sort_by_key(|trace| std::cmp::Reverse(trace.start_us()));
        wanted.truncate(self.limit);
        wanted
    }

    /// Whether the trace is within the time window and has spans that match.
    pub fn wants(&self, trace: &Trace, now_us: u64) -> bool {
        let start = trace.start_us();
        let end = self.end_us.unwrap_or(u64::MAX);
        let earliest =
            self.lookback_us.map_or(0, |lookback| end.min(now_us.max(start)).saturating_sub(lookback));
        if start > end || start < earliest {
            return false;
        }
        let of_service = |span: &&Span| self.service.as_ref().is_none_or(|service| span.service == *service);
        let spans: Vec<&Span> = trace.spans.iter().map(|span| &**span).filter(of_service).collect();
        let lasts = |span: &&Span| {
            self.min_duration_us.is_none_or(|min| span.duration_us >= min)
                && self.max_duration_us.is_none_or(|max| span.duration_us <= max)
        };
        let is_named =
            |span: &&Span| self.span_name.as_ref().is_none_or(|name| span.name.to_lowercase() == *name);
        let has = |(key, value): &(String, Option<String>)| {
            spans.iter().any(|span| carries(span, key, value.as_deref()))
        };
        spans.iter().any(|span| lasts(span) && is_named(span)) && self.annotations.iter().all(has)
    }
}

fn annotation_terms(query: &str) -> Vec<(String, Option<String>)> {
    let term = |term: &str| match term.split_once('=') {
        Some((key, value)) => (key.trim().to_owned(), Some(value.trim().to_owned())),
        None => (term.trim().to_owned(), None),
    };
    query.split(" and ").filter(|part| !part.trim().is_empty()).map(term).collect()
}

fn carries(span: &Span, key: &str, value: Option<&str>) -> bool {
    match value {
        Some(value) => span.tags.get(key).is_some_and(|tag| tag == value),
        None => span.tags.contains_key(key) || span.annotations.iter().any(|note| note.value == key),
    }
}

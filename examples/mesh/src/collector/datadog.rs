//! Traces as Datadog's libraries send them to the agent: `MessagePack`, API version 0.4. The test agent answers with the same
//! in JSON.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    span::{DIRECTION_TAG, Kind, Span},
    zipkin::WireError,
};

/// The upper half of a 128-bit trace id; it stands on one span of a list.
const UPPER_HALF: &str = "_dd.p.tid";

/// Reads the body of `PUT /v0.4/traces`: a list of traces, each of them a list of the spans that one proxy has of it.
///
/// # Errors
///
/// [`WireError`] if it is no such list, or an id is zero.
pub fn parse(body: &[u8]) -> Result<Vec<Span>, WireError> {
    let traces: Vec<Vec<WireSpan>> = rmp_serde::from_slice(body)
        .map_err(|error| WireError::new(format!("the body is no list of Datadog traces: {error}")))?;
    spans(traces)
}

/// Reads the same list in JSON, which is what `GET /test/traces` of the test agent answers.
///
/// # Errors
///
/// As [`parse`].
pub fn parse_json(body: &[u8]) -> Result<Vec<Span>, WireError> {
    let traces: Vec<Vec<WireSpan>> = serde_json::from_slice(body)
        .map_err(|error| WireError::new(format!("the body is no list of Datadog traces: {error}")))?;
    spans(traces)
}

#[derive(Deserialize)]
struct WireSpan {
    trace_id: u64,
    span_id: u64,
    #[serde(default)]
    parent_id: Option<u64>,
    #[serde(default)]
    service: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    resource: Option<String>,
    #[serde(default)]
    start: i64,
    #[serde(default)]
    duration: i64,
    #[serde(default)]
    error: i64,
    #[serde(default)]
    meta: Option<BTreeMap<String, String>>,
}

fn spans(traces: Vec<Vec<WireSpan>>) -> Result<Vec<Span>, WireError> {
    let mut spans = Vec::new();
    for trace in traces {
        let upper = trace.iter().find_map(|span| span.meta.as_ref()?.get(UPPER_HALF)).cloned();
        for span in trace {
            spans.push(span_of(span, upper.as_deref())?);
        }
    }
    Ok(spans)
}

fn span_of(wire: WireSpan, upper: Option<&str>) -> Result<Span, WireError> {
    if wire.trace_id == 0 || wire.span_id == 0 {
        return Err(WireError::new("an id is zero".into()));
    }
    let mut tags = wire.meta.unwrap_or_default();
    if wire.error != 0 {
        tags.entry("error".into()).or_insert_with(|| "true".into());
    }
    let nanoseconds = |number: i64| u64::try_from(number).unwrap_or(0) / 1_000;
    Ok(Span {
        trace_id: super::span::trace_id(&format!("{}{:016x}", upper.unwrap_or_default(), wire.trace_id))?,
        id: format!("{:016x}", wire.span_id),
        parent_id: wire.parent_id.filter(|parent| *parent != 0).map(|parent| format!("{parent:016x}")),
        // It has no kinds.
        kind: tags.get(DIRECTION_TAG).and_then(|word| Kind::of_direction(word)),
        // Envoy calls every span `envoy.proxy`; what was asked is the resource.
        name: wire.resource.or(wire.name).unwrap_or_default(),
        timestamp_us: nanoseconds(wire.start),
        duration_us: nanoseconds(wire.duration),
        service: wire.service.map_or_else(|| "unknown".into(), |name| name.to_lowercase()),
        tags,
        ..Span::default()
    })
}

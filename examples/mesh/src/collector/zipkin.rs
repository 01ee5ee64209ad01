//! Zipkin v2 JSON, in and out (<https://zipkin.io/zipkin-api/>).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::span::{Address, Annotation, Endpoint, Kind, Span, span_id, trace_id};

/// Why spans that arrived could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WireError(String);

impl WireError {
    pub(crate) fn new(sentence: String) -> Self {
        Self(sentence)
    }

    pub(super) fn id(field: &str, text: &str, width: usize) -> Self {
        let shown: String = text.chars().take(40).collect();
        Self(format!("{field} {shown:?} is not 1 to {width} hex characters"))
    }
}

/// Reads the body of `POST /api/v2/spans`: a JSON array of spans.
///
/// # Errors
///
/// [`WireError`], a sentence, if it is not JSON, not an array of spans, or an id is not hex. One bad span
/// refuses the whole body, so that a reporter notices.
pub fn parse(body: &[u8]) -> Result<Vec<Span>, WireError> {
    serde_json::from_slice(body)
        .map_err(|error| WireError(format!("the body is not a list of Zipkin v2 spans: {error}")))
}

/// Reads the answer to `GET /api/v2/traces`: a JSON array of traces, each an array of spans.
///
/// # Errors
///
/// As [`parse`].
pub fn parse_traces(body: &[u8]) -> Result<Vec<Span>, WireError> {
    let traces: Vec<Vec<Span>> = serde_json::from_slice(body)
        .map_err(|error| WireError(format!("the body is not a list of Zipkin v2 traces: {error}")))?;
    Ok(traces.into_iter().flatten().collect())
}

/// A span in Zipkin's own words.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WireSpan {
    trace_id: String,
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<Kind>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "micros")]
    timestamp: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "micros")]
    duration: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    local_endpoint: Option<WireEndpoint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remote_endpoint: Option<WireEndpoint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    annotations: Option<Vec<Annotation>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tags: Option<BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shared: Option<bool>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireEndpoint {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    service_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ipv4: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ipv6: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
}

impl TryFrom<WireSpan> for Span {
    type Error = WireError;

    fn try_from(wire: WireSpan) -> Result<Self, WireError> {
        let id = span_id("id", &wire.id)?;
        let parent_id = wire.parent_id.map(|parent| span_id("parentId", &parent)).transpose()?;
        let local = wire.local_endpoint.map(Endpoint::from).unwrap_or_default();
        Ok(Self {
            trace_id: trace_id(&wire.trace_id)?,
            // Zipkin's own rule: a span that names itself as its parent is a root.
            parent_id: parent_id.filter(|parent| *parent != id),
            id,
            kind: wire.kind,
            name: wire.name.unwrap_or_default(),
            timestamp_us: wire.timestamp.unwrap_or(0),
            duration_us: wire.duration.unwrap_or(0),
            service: local.service.unwrap_or_else(|| "unknown".to_owned()),
            host: local.address,
            remote: wire.remote_endpoint.map(Endpoint::from),
            tags: wire.tags.unwrap_or_default(),
            annotations: wire.annotations.unwrap_or_default(),
            shared: wire.shared.unwrap_or(false),
        })
    }
}

impl From<Span> for WireSpan {
    fn from(span: Span) -> Self {
        let local = Endpoint { service: Some(span.service), address: span.host };
        Self {
            trace_id: span.trace_id,
            id: span.id,
            parent_id: span.parent_id,
            kind: span.kind,
            name: Some(span.name).filter(|name| !name.is_empty()),
            timestamp: Some(span.timestamp_us).filter(|at| *at > 0),
            duration: Some(span.duration_us).filter(|length| *length > 0),
            local_endpoint: Some(local.into()),
            remote_endpoint: span.remote.map(WireEndpoint::from),
            annotations: Some(span.annotations).filter(|list| !list.is_empty()),
            tags: Some(span.tags).filter(|tags| !tags.is_empty()),
            shared: span.shared.then_some(true),
        }
    }
}

impl From<WireEndpoint> for Endpoint {
    fn from(wire: WireEndpoint) -> Self {
        Self {
            service: wire.service_name.map(|name| name.to_lowercase()).filter(|name| !name.is_empty()),
            address: Address { ipv4: wire.ipv4, ipv6: wire.ipv6, port: wire.port.filter(|port| *port > 0) },
        }
    }
}

impl From<Endpoint> for WireEndpoint {
    fn from(endpoint: Endpoint) -> Self {
        let Address { ipv4, ipv6, port } = endpoint.address;
        Self { service_name: endpoint.service, ipv4, ipv6, port }
    }
}

/// Microseconds, whole or with a fraction (some reporters write `1.5e15`).
fn micros<'de, D: Deserializer<'de>>(input: D) -> Result<Option<u64>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(input)? else { return Ok(None) };
    if let Some(whole) = number.as_u64() {
        return Ok(Some(whole));
    }
    match number.as_f64() {
        // `as` saturates at both ends and a fraction of a microsecond is of no use.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturating is what is wanted"
        )]
        Some(float) if float >= 0.0 => Ok(Some(float as u64)),
        _ => Err(serde::de::Error::custom(format!("{number} microseconds is negative"))),
    }
}

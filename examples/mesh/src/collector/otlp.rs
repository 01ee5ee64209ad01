//! OTLP traces, as protobuf and as JSON (<https://opentelemetry.io/docs/specs/otlp/>).

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value::Value},
    trace::v1::{self as wire, span::SpanKind, status::StatusCode},
};
use prost::Message;

use super::{
    span::{Annotation, Kind, Span},
    zipkin::WireError,
};

/// Reads the protobuf body of `POST /v1/traces`.
///
/// # Errors
///
/// [`WireError`] if it is no such message, or an id has a wrong length or is all zeros.
pub fn parse_protobuf(body: &[u8]) -> Result<Vec<Span>, WireError> {
    let request = ExportTraceServiceRequest::decode(body)
        .map_err(|error| WireError::new(format!("the body is no OTLP export request: {error}")))?;
    spans(request)
}

/// Reads the JSON body of `POST /v1/traces`.
///
/// # Errors
///
/// As [`parse_protobuf`].
pub fn parse_json(body: &[u8]) -> Result<Vec<Span>, WireError> {
    let request = serde_json::from_slice(body)
        .map_err(|error| WireError::new(format!("the body is no OTLP export request: {error}")))?;
    spans(request)
}

/// The spans of a request, in its order.
///
/// # Errors
///
/// [`WireError`] if an id has a wrong length or is all zeros.
pub fn spans(request: ExportTraceServiceRequest) -> Result<Vec<Span>, WireError> {
    let mut spans = Vec::new();
    for resource in request.resource_spans {
        let attributes = resource.resource.unwrap_or_default().attributes;
        let name = attributes.into_iter().find(|attribute| attribute.key == "service.name");
        let service = name.and_then(|attribute| text(attribute.value?)).unwrap_or_else(|| "unknown".into());
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            spans.push(span_of(span, &service.to_lowercase())?);
        }
    }
    Ok(spans)
}

fn span_of(wire: wire::Span, service: &str) -> Result<Span, WireError> {
    let kind = match wire.kind() {
        SpanKind::Server => Some(Kind::Server),
        SpanKind::Client => Some(Kind::Client),
        SpanKind::Producer => Some(Kind::Producer),
        SpanKind::Consumer => Some(Kind::Consumer),
        SpanKind::Unspecified | SpanKind::Internal => None,
    };
    let parent_id = match wire.parent_span_id.as_slice() {
        [] | [0, 0, 0, 0, 0, 0, 0, 0] => None,
        parent => Some(hex::<8>("parentSpanId", parent)?),
    };
    let mut tags: BTreeMap<_, _> = wire.attributes.into_iter().filter_map(tag).collect();
    if let Some(status) = wire.status.filter(|status| status.code() == StatusCode::Error) {
        tags.entry("error".into()).or_insert(status.message);
    }
    let annotation =
        |event: wire::span::Event| Annotation { timestamp: event.time_unix_nano / 1_000, value: event.name };
    Ok(Span {
        trace_id: hex::<16>("traceId", &wire.trace_id)?,
        id: hex::<8>("spanId", &wire.span_id)?,
        parent_id,
        kind,
        name: wire.name,
        timestamp_us: wire.start_time_unix_nano / 1_000,
        duration_us: wire.end_time_unix_nano.saturating_sub(wire.start_time_unix_nano) / 1_000,
        service: service.into(),
        tags,
        annotations: wire.events.into_iter().map(annotation).collect(),
        ..Span::default()
    })
}

fn hex<const LENGTH: usize>(field: &str, bytes: &[u8]) -> Result<String, WireError> {
    let number = bytes.iter().take(LENGTH).fold(0, |number, byte| number << 8 | u128::from(*byte));
    if bytes.len() != LENGTH || number == 0 {
        return Err(WireError::new(format!("{field} is not {LENGTH} bytes of which one is not zero")));
    }
    Ok(format!("{number:0width$x}", width = 2 * LENGTH))
}

fn tag(attribute: KeyValue) -> Option<(String, String)> {
    Some((attribute.key, text(attribute.value?)?))
}

/// A plain value as text; lists, maps and bytes are left out.
fn text(value: AnyValue) -> Option<String> {
    match value.value? {
        Value::StringValue(text) => Some(text),
        Value::BoolValue(flag) => Some(flag.to_string()),
        Value::IntValue(number) => Some(number.to_string()),
        Value::DoubleValue(number) => Some(number.to_string()),
        _ => None,
    }
}

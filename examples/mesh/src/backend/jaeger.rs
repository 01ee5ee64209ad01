//! Jaeger 2: its configuration, and its API (<https://www.jaegertracing.io/docs/latest/architecture/apis/>).

use std::{fs, path::Path, process::Command};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{LIMIT, Site, unreadable};
use crate::{
    collector::{otlp, span::Span, zipkin::WireError},
    error::MeshError,
    tracer::Tracer,
};

pub(super) fn command(program: &Path, dir: &Path, site: &Site) -> Result<Command, MeshError> {
    let file = dir.join("jaeger-config.json");
    fs::write(&file, config(site).to_string())
        .map_err(MeshError::io(format!("cannot write {}", file.display())))?;
    let mut command = Command::new(program);
    command.arg("--config").arg(file);
    Ok(command)
}

/// Everything in memory, and the one receiver that the tracer needs.
fn config(site: &Site) -> Value {
    let here = json!({ "endpoint": site.spans.to_string() });
    let (receiver, settings) = match site.tracer {
        Tracer::OpenTelemetry => ("otlp", json!({ "protocols": { "http": here } })),
        Tracer::OpenTelemetryGrpc => ("otlp", json!({ "protocols": { "grpc": here } })),
        _ => ("zipkin", here),
    };
    json!({
        "service": {
            "extensions": ["jaeger_storage", "jaeger_query"],
            "pipelines": {
                "traces": { "receivers": [receiver], "exporters": ["jaeger_storage_exporter"] },
            },
            "telemetry": { "metrics": { "level": "none" }, "logs": { "level": "warn" } },
        },
        "extensions": {
            "jaeger_storage": { "backends": { "memory": { "memory": { "max_traces": LIMIT } } } },
            "jaeger_query": {
                "storage": { "traces": "memory" },
                "http": { "endpoint": site.page.to_string() },
                "grpc": { "endpoint": site.spare.to_string() },
            },
        },
        "receivers": { receiver: settings },
        "exporters": { "jaeger_storage_exporter": { "trace_storage": "memory" } },
    })
}

pub(super) async fn fetch(site: &Site) -> Result<Vec<Span>, String> {
    let ever = "query.start_time_min=1970-01-02T00:00:00Z&query.start_time_max=2200-01-01T00:00:00Z";
    let path = format!("/api/v3/traces?{ever}&query.raw_traces=true&query.num_traces={LIMIT}");
    // It says 404 where no trace is found.
    let Some(body) = site.get(&path).await? else { return Ok(Vec::new()) };
    parse(&body).map_err(|error| unreadable(&error))
}

/// The answer is OTLP in an envelope of its own.
#[derive(Deserialize)]
struct Answer {
    result: ExportTraceServiceRequest,
}

fn parse(body: &[u8]) -> Result<Vec<Span>, WireError> {
    let answer: Answer = serde_json::from_slice(body)
        .map_err(|error| WireError::new(format!("it is no OTLP in an envelope: {error}")))?;
    otlp::spans(answer.result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_answer_is_read_as_spans() {
        let answer = br#"{"result":{"resourceSpans":[{
            "resource":{"attributes":[{"key":"service.name","value":{"stringValue":"reviews"}}]},
            "scopeSpans":[{"scope":{},"spans":[{
                "traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7",
                "parentSpanId":"53995c3f42cd8ad8","name":"ratings","kind":3,
                "startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000100000000",
                "attributes":[{"key":"guid:x-request-id","value":{"stringValue":"r"}}],"status":{}}]}]}]}}"#;
        let spans = parse(answer).unwrap();
        assert_eq!(spans.len(), 1);
        let span = &spans[0];
        assert_eq!(
            (span.trace_id.as_str(), span.id.as_str()),
            ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
        );
        assert_eq!(span.parent_id.as_deref(), Some("53995c3f42cd8ad8"));
        assert_eq!(
            (span.service.as_str(), span.duration_us, span.request_id()),
            ("reviews", 100_000, Some("r"))
        );
    }

    #[test]
    fn another_answer_is_an_error() {
        assert!(parse(b"<html>").unwrap_err().to_string().starts_with("it is no OTLP in an envelope: "));
    }
}

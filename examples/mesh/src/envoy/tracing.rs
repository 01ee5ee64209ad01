//! What an Envoy is told about its tracer, as Istio's control plane would tell it.
//!
//! From `pilot/pkg/networking/core/tracing.go`: client and overall sampling 100; for Zipkin spans as JSON to
//! `/api/v2/spans`, 128-bit trace ids, no shared span context; `spawn_upstream_span` for `SkyWalking`. Random sampling is
//! 100 instead of Istio's 1 unless asked otherwise, so that every request of the demo is traced. The gateway does not get
//! `spawn_upstream_span`, which Istio sets for gateways since 1.24: with it the gateway reports two spans of the same request
//! where the picture needs one row.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::proxy::{Hop, Proxy};
use crate::{
    app::{Protocol, word},
    tracer::{FLUSH_INTERVAL_MS, Tracer},
};

/// The cluster that spans go to.
pub(super) const COLLECTOR: &str = "collector";
/// How many spans an Envoy sends at once at the latest.
const FLUSH_SPANS: u64 = 50;

/// Which tracer, how much of the traffic, and where spans go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tracing {
    /// The tracer.
    pub tracer: Tracer,
    /// How many percent of the requests that come in without a decision are traced.
    pub sampling: f64,
    /// Where spans go.
    pub collector: SocketAddr,
}

/// The `tracing` of a listener.
pub(super) fn settings(proxy: &Proxy, hop: &Hop, tracing: Tracing) -> Value {
    let tag = |name: &str, value: &str| json!({ "tag": name, "literal": { "value": value } });
    let (name, config) = provider(&proxy.service, tracing);
    let mut settings = json!({
        "client_sampling": { "value": 100.0 },
        "random_sampling": { "value": tracing.sampling },
        "overall_sampling": { "value": 100.0 },
        "custom_tags": [
            tag("direction", word(hop.direction)),
            tag("istio.canonical_service", &proxy.service),
            tag("istio.namespace", &proxy.namespace),
        ],
        "provider": { "name": name, "typed_config": config },
    });
    if tracing.tracer.spawns_upstream_span() {
        settings["spawn_upstream_span"] = true.into();
    }
    settings
}

/// What the cluster that spans go to speaks; there is none for a tracer that sends datagrams.
pub(super) fn collector_protocol(tracer: Tracer) -> Option<Protocol> {
    match tracer {
        Tracer::Zipkin | Tracer::ZipkinW3c | Tracer::OpenTelemetry | Tracer::Datadog => Some(Protocol::Http),
        Tracer::OpenTelemetryGrpc | Tracer::SkyWalking => Some(Protocol::Grpc),
        Tracer::XRay => None,
    }
}

/// The runtime values that make it report soon.
pub(super) fn runtime(tracer: Tracer) -> Value {
    match tracer {
        Tracer::Zipkin | Tracer::ZipkinW3c => json!({
            "tracing.zipkin.flush_interval_ms": FLUSH_INTERVAL_MS,
            "tracing.zipkin.min_flush_spans": FLUSH_SPANS,
        }),
        Tracer::OpenTelemetry | Tracer::OpenTelemetryGrpc => json!({
            "tracing.opentelemetry.flush_interval_ms": FLUSH_INTERVAL_MS,
            "tracing.opentelemetry.min_flush_spans": FLUSH_SPANS,
        }),
        // One is not to be told, the others report at once.
        Tracer::Datadog | Tracer::SkyWalking | Tracer::XRay => json!({}),
    }
}

fn provider(service: &str, Tracing { tracer, collector, .. }: Tracing) -> (&'static str, Value) {
    let zipkin = |context: &str| {
        json!({
            "@type": "type.googleapis.com/envoy.config.trace.v3.ZipkinConfig",
            "collector_cluster": COLLECTOR,
            "collector_endpoint": "/api/v2/spans",
            "collector_endpoint_version": "HTTP_JSON",
            "trace_id_128bit": true,
            "shared_span_context": false,
            "trace_context_option": context,
        })
    };
    let grpc_service = json!({ "envoy_grpc": { "cluster_name": COLLECTOR }, "timeout": "5s" });
    let opentelemetry = |how: &str, to: Value| {
        json!({
            "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
            "service_name": service,
            how: to,
        })
    };
    match tracer {
        Tracer::Zipkin => ("envoy.tracers.zipkin", zipkin("USE_B3")),
        Tracer::ZipkinW3c => ("envoy.tracers.zipkin", zipkin("USE_B3_WITH_W3C_PROPAGATION")),
        Tracer::OpenTelemetry => {
            let uri = format!("http://{collector}/v1/traces");
            let to = json!({ "http_uri": { "uri": uri, "cluster": COLLECTOR, "timeout": "5s" } });
            ("envoy.tracers.opentelemetry", opentelemetry("http_service", to))
        }
        Tracer::OpenTelemetryGrpc => {
            ("envoy.tracers.opentelemetry", opentelemetry("grpc_service", grpc_service))
        }
        Tracer::Datadog => (
            "envoy.tracers.datadog",
            json!({
                "@type": "type.googleapis.com/envoy.config.trace.v3.DatadogConfig",
                "collector_cluster": COLLECTOR,
                "service_name": service,
            }),
        ),
        Tracer::SkyWalking => (
            "envoy.tracers.skywalking",
            json!({
                "@type": "type.googleapis.com/envoy.config.trace.v3.SkyWalkingConfig",
                "grpc_service": grpc_service,
                "client_config": { "service_name": service, "instance_name": service },
            }),
        ),
        Tracer::XRay => (
            "envoy.tracers.xray",
            json!({
                "@type": "type.googleapis.com/envoy.config.trace.v3.XRayConfig",
                "daemon_endpoint": {
                    "protocol": "UDP",
                    "address": collector.ip().to_string(),
                    "port_value": collector.port(),
                },
                "segment_name": service,
                // Its own rules decide, and not the request id; by default they are one a second and 5 %.
                "sampling_rule_manifest": {
                    "inline_string": r#"{"version":2,"default":{"fixed_target":1,"rate":1.0},"rules":[]}"#,
                },
            }),
        ),
    }
}

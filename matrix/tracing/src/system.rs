//! The systems of the table: what Istio and Envoy have, or had, tracers for.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use onward_mesh::tracer::Tracer;

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct System {
    /// Its name in the table, and on the command line.
    pub name: &'static str,
    /// The headers that its trace hangs on.
    pub headers: &'static str,
    /// Who writes them.
    pub tracing: Tracing,
}

/// Who writes a system's headers.
#[derive(Clone, Copy, Debug)]
pub enum Tracing {
    /// Every Envoy.
    Envoy(Tracer),
    /// No Envoy of today: a client sends them with its span, and Envoys that trace nothing let them pass.
    Client {
        /// 32 hex characters.
        trace: &'static str,
        /// The lines of that trace with this span.
        lines: fn(u64) -> Vec<(&'static str, String)>,
    },
}

const fn envoy(name: &'static str, headers: &'static str, tracer: Tracer) -> System {
    System { name, headers, tracing: Tracing::Envoy(tracer) }
}

/// Every system.
pub const ALL: [System; 9] = [
    envoy("OpenTelemetry", "`traceparent`", Tracer::OpenTelemetry),
    envoy("Jaeger", "`traceparent`", Tracer::OpenTelemetryGrpc),
    envoy("Zipkin", "`x-b3-*`", Tracer::Zipkin),
    envoy("Zipkin with W3C", "`x-b3-*`, `traceparent`", Tracer::ZipkinW3c),
    envoy("SkyWalking", "`sw8`", Tracer::SkyWalking),
    envoy("Datadog", "`x-datadog-*`, `traceparent`", Tracer::Datadog),
    envoy("X-Ray", "`x-amzn-trace-id`", Tracer::XRay),
    System {
        name: "Lightstep",
        headers: "`x-ot-span-context`, `ot-tracer-*`, `traceparent`",
        tracing: Tracing::Client { trace: "0000000000000000463ac35c9f6413ad", lines: lightstep },
    },
    System {
        name: "Stackdriver, OpenCensus",
        headers: "`x-cloud-trace-context`, `grpc-trace-bin`, `traceparent`, `x-b3-*`",
        tracing: Tracing::Client { trace: "4bf92f3577b34da6a3ce929d0e0e4736", lines: stackdriver },
    },
];

/// The first is opaque: no span but Lightstep's own can be written into it.
fn lightstep(span: u64) -> Vec<(&'static str, String)> {
    vec![
        ("x-ot-span-context", "CigKDgj/+/==\tEgYIgIDAyA0=  ;x".into()),
        ("ot-tracer-traceid", "463ac35c9f6413ad".into()),
        ("ot-tracer-spanid", format!("{span:016x}")),
        ("ot-tracer-sampled", "true".into()),
        ("traceparent", format!("00-0000000000000000463ac35c9f6413ad-{span:016x}-01")),
    ]
}

fn stackdriver(span: u64) -> Vec<(&'static str, String)> {
    const TRACE: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;
    let binary = [&[0, 0], &TRACE.to_be_bytes()[..], &[1], &span.to_be_bytes(), &[2, 1]].concat();
    vec![
        ("x-cloud-trace-context", format!("{TRACE:032x}/{span};o=1")),
        ("grpc-trace-bin", STANDARD_NO_PAD.encode(binary)),
        ("traceparent", format!("00-{TRACE:032x}-{span:016x}-01")),
        ("x-b3-traceid", format!("{TRACE:032x}")),
        ("x-b3-spanid", format!("{span:016x}")),
        ("x-b3-sampled", "1".into()),
    ]
}

//! The tracers of Envoy that the mesh can run with.

use std::{fmt, str::FromStr, time::Duration};

/// How often an Envoy reports, in milliseconds, where that can be said; the default of 5 s would make every run wait for it.
pub const FLUSH_INTERVAL_MS: u64 = 250;

/// One of Envoy's tracers, with the propagation that it is configured for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tracer {
    /// Zipkin with `x-b3-*` (or `b3`, where that came in): Istio's Zipkin provider.
    #[default]
    Zipkin,
    /// Zipkin with B3 and `traceparent`, `USE_B3_WITH_W3C_PROPAGATION`.
    ZipkinW3c,
    /// OpenTelemetry with `traceparent`, OTLP as protobuf over HTTP.
    OpenTelemetry,
    /// The same over gRPC, as Istio's OpenTelemetry provider and its Jaeger task have it.
    OpenTelemetryGrpc,
    /// Datadog with `x-datadog-*` and `traceparent`, the agent's API 0.4.
    Datadog,
    /// Apache `SkyWalking` with `sw8`, segments over gRPC.
    SkyWalking,
    /// AWS X-Ray with `x-amzn-trace-id`, the daemon's UDP protocol. Envoy has it, Istio does not offer it.
    XRay,
}

/// A name that is no tracer's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no tracer; there are {}", Tracer::ALL.map(Tracer::name).join(", "))]
pub struct UnknownTracer {
    name: String,
}

impl Tracer {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::Zipkin,
        Self::ZipkinW3c,
        Self::OpenTelemetry,
        Self::OpenTelemetryGrpc,
        Self::Datadog,
        Self::SkyWalking,
        Self::XRay,
    ];

    /// What it is called on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zipkin => "zipkin",
            Self::ZipkinW3c => "zipkin-w3c",
            Self::OpenTelemetry => "opentelemetry",
            Self::OpenTelemetryGrpc => "opentelemetry-grpc",
            Self::Datadog => "datadog",
            Self::SkyWalking => "skywalking",
            Self::XRay => "xray",
        }
    }

    /// What it is and what its headers are, in a line.
    pub const fn summary(self) -> &'static str {
        match self {
            Self::Zipkin => "B3, spans as Zipkin's JSON",
            Self::ZipkinW3c => "B3 and traceparent, spans as Zipkin's JSON",
            Self::OpenTelemetry => "traceparent, spans as OTLP over HTTP",
            Self::OpenTelemetryGrpc => "traceparent, spans as OTLP over gRPC",
            Self::Datadog => "x-datadog-* and traceparent, spans as MessagePack to the agent's API",
            Self::SkyWalking => "sw8, segments over gRPC",
            Self::XRay => "x-amzn-trace-id, segments as JSON over UDP",
        }
    }

    /// Whether it reads this header (lower case) of a client's: one that names a span which nobody reported would make
    /// the gateway its child.
    pub fn reads(self, header: &str) -> bool {
        match self {
            Self::Zipkin => is_b3(header),
            Self::ZipkinW3c => is_b3(header) || is_w3c(header),
            Self::OpenTelemetry | Self::OpenTelemetryGrpc => is_w3c(header),
            Self::Datadog => header.starts_with("x-datadog-") || is_w3c(header),
            Self::SkyWalking => header == "sw8",
            Self::XRay => header == "x-amzn-trace-id",
        }
    }

    /// `ONWARD_PRESETS` for the services, where the default preset does not have the tracer's headers.
    pub const fn presets(self) -> Option<&'static str> {
        match self {
            Self::XRay => Some("istio,xray"),
            _ => None,
        }
    }

    /// Whether a proxy reports two spans of each request that crosses it, its own work and its call. Without that
    /// `SkyWalking`'s tracer writes no header; Istio sets it for that tracer alone (and for gateways).
    pub const fn spawns_upstream_span(self) -> bool {
        matches!(self, Self::SkyWalking)
    }

    /// Spans for each side of a sidecar that a request crosses.
    pub const fn spans_per_hop(self) -> usize {
        if self.spawns_upstream_span() { 2 } else { 1 }
    }

    /// How long a span may wait in an Envoy before it is reported.
    pub const fn flush_interval(self) -> Duration {
        match self {
            // What Datadog's library has built in; Envoy has no setting for it.
            Self::Datadog => Duration::from_secs(2),
            _ => Duration::from_millis(FLUSH_INTERVAL_MS),
        }
    }
}

fn is_b3(header: &str) -> bool {
    header == "b3" || header.starts_with("x-b3-")
}

fn is_w3c(header: &str) -> bool {
    header == "traceparent" || header == "tracestate"
}

impl fmt::Display for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Tracer {
    type Err = UnknownTracer;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|tracer| tracer.name() == name);
        found.ok_or_else(|| UnknownTracer { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back_and_another_is_an_error_that_lists_them() {
        for tracer in Tracer::ALL {
            assert_eq!(tracer.name().parse(), Ok(tracer));
        }
        assert_eq!(
            "jaeger".parse::<Tracer>().unwrap_err().to_string(),
            "\"jaeger\" is no tracer; there are zipkin, zipkin-w3c, opentelemetry, opentelemetry-grpc, datadog, \
             skywalking, xray"
        );
    }
}

//! Named header sets, one per tracing backend.

use super::Header;
#[allow(clippy::wildcard_imports, reason = "it is the table itself")]
use super::known::*;

/// A named header set. Every one of them forwards `x-request-id`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Preset {
    /// What `ONWARD_PRESETS` calls it.
    pub name: &'static str,
    /// Its headers, in the order in which they are forwarded.
    pub headers: &'static [&'static Header],
}

/// The preset of a policy that names none.
pub(crate) const DEFAULT: &str = "istio";

/// What Bookinfo's reviews and details forward, in their order.
const BOOKINFO: [&Header; 20] = [
    &X_REQUEST_ID,
    &X_OT_SPAN_CONTEXT,
    &X_DATADOG_TRACE_ID,
    &X_DATADOG_PARENT_ID,
    &X_DATADOG_SAMPLING_PRIORITY,
    &TRACEPARENT,
    &TRACESTATE,
    &X_CLOUD_TRACE_CONTEXT,
    &GRPC_TRACE_BIN,
    &X_B3_TRACEID,
    &X_B3_SPANID,
    &X_B3_PARENTSPANID,
    &X_B3_SAMPLED,
    &X_B3_FLAGS,
    &SW8,
    &END_USER,
    &USER_AGENT,
    &COOKIE,
    &AUTHORIZATION,
    &JWT,
];

/// What today's Envoy needs beside it.
const BESIDE_BOOKINFO: [&Header; 6] =
    [&B3, &BAGGAGE, &X_DATADOG_ORIGIN, &X_DATADOG_TAGS, &SW8_CORRELATION, &SW8_X];

const ISTIO: [&Header; 26] = {
    let mut headers = [&X_REQUEST_ID; 26];
    headers.split_at_mut(20).0.copy_from_slice(&BOOKINFO);
    headers.split_at_mut(20).1.copy_from_slice(&BESIDE_BOOKINFO);
    headers
};

const W3C: [&Header; 4] = [&X_REQUEST_ID, &TRACEPARENT, &TRACESTATE, &BAGGAGE];

/// Every preset.
pub const PRESETS: &[Preset] = &[
    Preset { name: DEFAULT, headers: &ISTIO },
    Preset { name: "bookinfo", headers: &BOOKINFO },
    Preset {
        name: "zipkin",
        headers: &[
            &X_REQUEST_ID,
            &X_B3_TRACEID,
            &X_B3_SPANID,
            &X_B3_PARENTSPANID,
            &X_B3_SAMPLED,
            &X_B3_FLAGS,
            &B3,
        ],
    },
    Preset { name: "w3c", headers: &W3C },
    Preset { name: "opentelemetry", headers: &W3C },
    Preset {
        name: "jaeger",
        headers: &[
            &X_REQUEST_ID,
            &TRACEPARENT,
            &TRACESTATE,
            &BAGGAGE,
            &UBER_TRACE_ID,
            &UBERCTX,
            &JAEGER_DEBUG_ID,
            &JAEGER_BAGGAGE,
        ],
    },
    Preset {
        name: "datadog",
        headers: &[
            &X_REQUEST_ID,
            &X_DATADOG_TRACE_ID,
            &X_DATADOG_PARENT_ID,
            &X_DATADOG_SAMPLING_PRIORITY,
            &X_DATADOG_ORIGIN,
            &X_DATADOG_TAGS,
        ],
    },
    Preset {
        name: "lightstep",
        headers: &[
            &X_REQUEST_ID,
            &X_OT_SPAN_CONTEXT,
            &OT_TRACER_TRACEID,
            &OT_TRACER_SPANID,
            &OT_TRACER_SAMPLED,
            &OT_BAGGAGE,
        ],
    },
    Preset {
        name: "stackdriver",
        headers: &[&X_REQUEST_ID, &X_CLOUD_TRACE_CONTEXT, &GRPC_TRACE_BIN, &TRACEPARENT, &TRACESTATE],
    },
    Preset { name: "skywalking", headers: &[&X_REQUEST_ID, &SW8, &SW8_CORRELATION, &SW8_X] },
    Preset { name: "xray", headers: &[&X_REQUEST_ID, &X_AMZN_TRACE_ID] },
    Preset {
        name: "session",
        headers: &[&X_REQUEST_ID, &END_USER, &USER_AGENT, &COOKIE, &AUTHORIZATION, &JWT],
    },
];

pub(crate) fn find(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

//! The rows.

use super::{Class, Family, Header};

macro_rules! catalogue {
    ($($(#[doc = $doc:literal])+ $constant:ident = $name:literal, $family:ident, $class:ident, $separator:literal, $used_by:literal, $spec:literal;)+) => {
        $(
            $(#[doc = $doc])+
            #[doc = concat!("\n\nUsed by: ", $used_by, ". Specified in <", $spec, ">.")]
            pub const $constant: Header = Header {
                name: $name,
                family: Family::$family,
                class: Class::$class,
                separator: $separator,
                used_by: $used_by,
                spec: $spec,
            };
        )+

        /// Every row, in the order of the presets.
        pub const CATALOGUE: &[&Header] = &[$(&$constant),+];
    };
}

catalogue! {
    /// Ties the log lines of one request together; Envoy packs its sampling decision into it.
    X_REQUEST_ID = "x-request-id", Alone, Trace, ",", "every Envoy",
        "https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#x-request-id";

    /// Trace id, 16 or 32 hexadecimal digits.
    X_B3_TRACEID = "x-b3-traceid", B3Multi, Trace, ",", "Zipkin", "https://github.com/openzipkin/b3-propagation";
    /// Span id, 16 hexadecimal digits.
    X_B3_SPANID = "x-b3-spanid", B3Multi, Trace, ",", "Zipkin", "https://github.com/openzipkin/b3-propagation";
    /// Id of the parent span; absent at the root.
    X_B3_PARENTSPANID = "x-b3-parentspanid", B3Multi, Trace, ",", "Zipkin", "https://github.com/openzipkin/b3-propagation";
    /// `1` or `0`; absent defers the decision, empty switches sampling off in Envoy.
    X_B3_SAMPLED = "x-b3-sampled", B3Multi, Trace, ",", "Zipkin", "https://github.com/openzipkin/b3-propagation";
    /// `1` asks for a debug trace.
    X_B3_FLAGS = "x-b3-flags", B3Multi, Trace, ",", "Zipkin", "https://github.com/openzipkin/b3-propagation";
    /// All of B3 in one header. Envoy answers in this form when it was asked in it.
    B3 = "b3", Alone, Trace, ",", "Zipkin", "https://github.com/openzipkin/b3-propagation";

    /// Version, trace id, parent id and flags.
    TRACEPARENT = "traceparent", W3c, Trace, ",", "OpenTelemetry, Jaeger, Datadog, Zipkin with W3C", "https://www.w3.org/TR/trace-context/#traceparent-header";
    /// One list member per vendor; means nothing without `traceparent`.
    TRACESTATE = "tracestate", W3c, Trace, ",", "OpenTelemetry, Jaeger, Datadog, Zipkin with W3C", "https://www.w3.org/TR/trace-context/#tracestate-header";
    /// Key and value pairs of the application.
    BAGGAGE = "baggage", Alone, Context, ",", "OpenTelemetry", "https://www.w3.org/TR/baggage/";

    /// Jaeger's own context: trace, span, parent, flags.
    UBER_TRACE_ID = "uber-trace-id", Jaeger, Trace, ",", "Jaeger clients", "https://www.jaegertracing.io/sdk-migration/#propagation-format";
    /// Jaeger's baggage, one header a key.
    UBERCTX = "uberctx-*", Jaeger, Context, ",", "Jaeger clients", "https://www.jaegertracing.io/sdk-migration/#propagation-format";
    /// Asks for a debug trace that can be searched by this id.
    JAEGER_DEBUG_ID = "jaeger-debug-id", Jaeger, Trace, ",", "Jaeger clients", "https://www.jaegertracing.io/sdk-migration/#propagation-format";
    /// Baggage given by hand at the root.
    JAEGER_BAGGAGE = "jaeger-baggage", Jaeger, Context, ",", "Jaeger clients", "https://www.jaegertracing.io/sdk-migration/#propagation-format";

    /// Lower 64 bits of the trace id, decimal.
    X_DATADOG_TRACE_ID = "x-datadog-trace-id", Datadog, Trace, ",", "Datadog", "https://docs.datadoghq.com/tracing/trace_collection/trace_context_propagation/";
    /// Span id, decimal.
    X_DATADOG_PARENT_ID = "x-datadog-parent-id", Datadog, Trace, ",", "Datadog", "https://docs.datadoghq.com/tracing/trace_collection/trace_context_propagation/";
    /// -1 and 0 drop, 1 and 2 keep.
    X_DATADOG_SAMPLING_PRIORITY = "x-datadog-sampling-priority", Datadog, Trace, ",", "Datadog", "https://docs.datadoghq.com/tracing/trace_collection/trace_context_propagation/";
    /// Where the trace began.
    X_DATADOG_ORIGIN = "x-datadog-origin", Datadog, Trace, ",", "Datadog", "https://docs.datadoghq.com/tracing/trace_collection/trace_context_propagation/";
    /// Trace tags; `_dd.p.tid` in it is the upper half of the trace id.
    X_DATADOG_TAGS = "x-datadog-tags", Datadog, Trace, ",", "Datadog", "https://docs.datadoghq.com/tracing/trace_collection/trace_context_propagation/";

    /// An opaque context in base64.
    X_OT_SPAN_CONTEXT = "x-ot-span-context", Alone, Trace, ",", "Lightstep", "https://github.com/opentracing/basictracer-go";
    /// Trace id, up to 32 hexadecimal digits.
    OT_TRACER_TRACEID = "ot-tracer-traceid", OtTracer, Trace, ",", "Lightstep", "https://opentelemetry.io/docs/specs/otel/context/api-propagators/#ot-trace";
    /// Span id, 16 hexadecimal digits.
    OT_TRACER_SPANID = "ot-tracer-spanid", OtTracer, Trace, ",", "Lightstep", "https://opentelemetry.io/docs/specs/otel/context/api-propagators/#ot-trace";
    /// `true` or `false`.
    OT_TRACER_SAMPLED = "ot-tracer-sampled", OtTracer, Trace, ",", "Lightstep", "https://opentelemetry.io/docs/specs/otel/context/api-propagators/#ot-trace";
    /// Baggage, one header a key.
    OT_BAGGAGE = "ot-baggage-*", OtTracer, Context, ",", "Lightstep", "https://opentelemetry.io/docs/specs/otel/context/api-propagators/#ot-trace";

    /// Trace id, span id in decimal, options.
    X_CLOUD_TRACE_CONTEXT = "x-cloud-trace-context", Alone, Trace, ",", "Google Cloud Trace", "https://cloud.google.com/trace/docs/trace-context";
    /// The binary context of `OpenCensus`; base64 on HTTP.
    GRPC_TRACE_BIN = "grpc-trace-bin", Alone, Trace, ",", "OpenCensus, gRPC", "https://github.com/census-instrumentation/opencensus-specs/blob/master/encodings/BinaryEncoding.md";

    /// `SkyWalking`'s context: eight fields, base64 where they are text.
    SW8 = "sw8", SkyWalking, Trace, ",", "SkyWalking", "https://skywalking.apache.org/docs/main/latest/en/api/x-process-propagation-headers-v3/";
    /// `SkyWalking`'s correlation context: up to three pairs of the application.
    SW8_CORRELATION = "sw8-correlation", SkyWalking, Context, ",", "SkyWalking", "https://skywalking.apache.org/docs/main/latest/en/api/x-process-correlation-headers-v1/";
    /// `SkyWalking`'s extension: tracing mode and sending timestamp.
    SW8_X = "sw8-x", SkyWalking, Trace, ",", "SkyWalking", "https://skywalking.apache.org/docs/main/latest/en/api/x-process-propagation-headers-v3/";

    /// AWS X-Ray's context.
    X_AMZN_TRACE_ID = "x-amzn-trace-id", Alone, Trace, ",", "AWS X-Ray", "https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader";

    /// The signed-in user; Istio routes by it in Bookinfo's demonstrations.
    END_USER = "end-user", Alone, Context, ",", "routing rules", "https://istio.io/latest/docs/tasks/traffic-management/request-routing/";
    /// The client's name; canary routes match on it.
    USER_AGENT = "user-agent", Alone, Context, ",", "routing rules", "https://www.rfc-editor.org/rfc/rfc9110#field.user-agent";
    /// The session.
    COOKIE = "cookie", Alone, Credential, "; ", "sessions", "https://www.rfc-editor.org/rfc/rfc6265#section-4.2";
    /// The caller's credentials.
    AUTHORIZATION = "authorization", Alone, Credential, ",", "end-user authentication", "https://www.rfc-editor.org/rfc/rfc9110#field.authorization";
    /// A token, as Bookinfo forwards it.
    JWT = "jwt", Alone, Credential, ",", "end-user authentication", "https://istio.io/latest/docs/tasks/security/authentication/authn-policy/";
}

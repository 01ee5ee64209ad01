//! With Onward a trace is whole under every tracer; without that tracer's own headers it is broken.

use onward_mesh::{analysis::Problem, tracer::Tracer};

use super::support::{HOPS, Seen, chain, options, run};

const REQUESTS: usize = 20;

/// `own` takes the tracer's headers out of what front forwards.
async fn joins(tracer: Tracer, own: &'static str) {
    let seen = Seen::default();
    let report = run(&chain("", &seen), &options(Some(tracer)), REQUESTS).await;
    let problems: Vec<_> = report.broken().filter_map(|request| request.problem.clone()).collect();
    assert_eq!(problems, []);
    assert!(report.is_whole());
    let summary = report.summary();
    assert_eq!((summary.traces, summary.spans), (REQUESTS, REQUESTS * HOPS * tracer.spans_per_hop()));

    // The control: front forwards everything else.
    let report = run(&chain(own, &seen), &options(Some(tracer)), REQUESTS).await;
    // The request id went on, so both halves are found.
    assert!(report.broken().all(|request| request.problem == Some(Problem::Split { traces: 2 })));
    assert_eq!((report.summary().broken, report.summary().traces), (REQUESTS, 2 * REQUESTS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zipkin_joins_by_b3() {
    joins(Tracer::Zipkin, "-x-b3-*,-b3").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zipkin_with_w3c_joins_by_b3_or_traceparent() {
    joins(Tracer::ZipkinW3c, "-x-b3-*,-b3,-traceparent,-tracestate").await;
    // Either of them is enough.
    for rules in ["-x-b3-*", "-traceparent,-tracestate"] {
        let report = run(&chain(rules, &Seen::default()), &options(Some(Tracer::ZipkinW3c)), REQUESTS).await;
        assert!(report.is_whole(), "{rules}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opentelemetry_joins_by_traceparent() {
    joins(Tracer::OpenTelemetry, "-traceparent,-tracestate").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opentelemetry_over_grpc_joins_by_traceparent() {
    joins(Tracer::OpenTelemetryGrpc, "-traceparent,-tracestate").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn skywalking_joins_by_sw8() {
    joins(Tracer::SkyWalking, "-sw8").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn xray_joins_by_x_amzn_trace_id() {
    joins(Tracer::XRay, "-x-amzn-trace-id").await;
}

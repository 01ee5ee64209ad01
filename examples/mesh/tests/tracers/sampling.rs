//! With 10 % random sampling a trace is whole or absent.

use onward_mesh::{
    analysis::{Problem, Report},
    runner::Options,
    tracer::Tracer,
};

use super::support::{HOPS, Seen, chain, options, run};

const REQUESTS: usize = 300;

/// Of 300 requests 30 are traced, give or take 5: these bounds are five times that away.
const LIKELY: std::ops::Range<usize> = 5..56;

async fn sampled(tracer: Tracer, rules: &'static str) -> Report {
    let options = Options { sampling: 10.0, ..options(Some(tracer)) };
    let report = run(&chain(rules, &Seen::default()), &options, REQUESTS).await;
    assert_eq!(report.failed().count(), 0);
    report
}

fn count(report: &Report, matches: impl Fn(Option<&Problem>) -> bool) -> usize {
    report.requests.iter().filter(|request| matches(request.problem.as_ref())).count()
}

fn is_whole_or_absent(report: &Report) {
    let whole = count(report, |problem| problem.is_none());
    let absent = count(report, |problem| problem == Some(&Problem::NoTrace));
    assert_eq!(whole + absent, REQUESTS);
    assert!(LIKELY.contains(&whole), "{whole}");
    assert_eq!(report.summary().spans, whole * HOPS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenth_of_zipkins_traces_is_whole_and_no_other_has_a_span() {
    is_whole_or_absent(&sampled(Tracer::Zipkin, "").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenth_of_opentelemetrys_traces_is_whole_and_no_other_has_a_span() {
    is_whole_or_absent(&sampled(Tracer::OpenTelemetry, "").await);
}

/// The control. Each proxy ands its own decision to the parent's, and carries it in the request id: where that is new,
/// the dice are rolled again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_request_id_opentelemetrys_traces_are_cut() {
    let report = sampled(Tracer::OpenTelemetry, "-x-request-id").await;
    let cut = Problem::Incomplete { missing: vec!["front (egress)".into(), "back (ingress)".into()] };
    let cut = count(&report, |problem| problem == Some(&cut));
    assert!(cut > 0, "{:?}", report.summary().broken);
}

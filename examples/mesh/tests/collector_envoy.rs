//! What the collector says about the spans of real Envoys, with forwarding and, as the control, without.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic is how a test says that something does not hold"
)]

mod chain;
mod support;

use std::time::Duration;

use chain::{chain, everything};
use onward_mesh::collector::links::{Link, links};
use onward_mesh::collector::verdict::{Break, judge};
use onward_mesh::{app::App, load, progress::Progress, runner::Mesh, settle};
use support::{FLUSH, options};

const REQUESTS: usize = 20;

/// What is broken about each trace, and who calls whom.
async fn run(app: &App, concurrency: usize) -> (Vec<Vec<Break>>, Vec<Link>) {
    let mesh = Mesh::start(app, &options(), Progress::silent()).await.unwrap();
    load::drive(mesh.gateway(), app, REQUESTS, concurrency, |_| {}).await.unwrap();
    settle::wait_for_spans(mesh.store(), 4 * REQUESTS, FLUSH, Duration::from_secs(30)).await;
    let traces = mesh.store().traces();
    (judge(&traces), links(&traces))
}

fn calls(parent: &str, child: &str) -> Link {
    Link { parent: parent.into(), child: child.into(), call_count: 20, error_count: 0 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_forwarding_no_trace_is_suspected_although_requests_overlap() {
    let (verdicts, links) = run(&chain(everything()), 8).await;
    assert_eq!(verdicts, vec![Vec::<Break>::new(); 20]);
    assert_eq!(links, [calls("front", "back"), calls("gateway", "front")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_forwarding_both_halves_of_every_request_are_signed_and_know_each_other() {
    let (verdicts, links) = run(&chain(&[]), 1).await;
    assert_eq!(verdicts.len(), 40);
    for breaks in verdicts {
        let [only] = breaks.as_slice() else { panic!("{breaks:?}") };
        assert!(only.sentence().starts_with("front did not forward its trace headers"), "{only:?}");
        assert!(only.other_trace().is_some(), "{only:?}");
    }
    assert_eq!(links, [calls("front", "back"), calls("gateway", "front")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_forwarding_every_trace_is_signed_although_requests_overlap() {
    let (verdicts, _) = run(&chain(&[]), 8).await;
    assert_eq!(verdicts.len(), 40);
    assert!(verdicts.iter().all(|breaks| !breaks.is_empty()));
}

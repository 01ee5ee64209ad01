//! A mesh of two services behind real Envoys, with forwarding and, as the control, without.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod chain;
mod support;

use std::time::Duration;

use chain::{chain, everything};
use onward_mesh::{
    analysis::{Problem, Report, analyse},
    app::{App, word},
    error::MeshError,
    load,
    progress::Progress,
    runner::{Mesh, Options},
    settle,
};
use support::{FLUSH, options};

const REQUESTS: usize = 40;
const CONCURRENCY: usize = 8;

async fn run(app: &App) -> Report {
    let mut mesh = Mesh::start(app, &options(), Progress::silent()).await.unwrap();
    let outcomes = load::drive(mesh.gateway(), app, REQUESTS, CONCURRENCY, |_| {}).await.unwrap();
    let expected = REQUESTS * app.shape().unwrap().iter().map(|hops| hops.count).sum::<usize>();
    settle::wait_for_spans(mesh.store(), expected, FLUSH, Duration::from_secs(30)).await;
    mesh.check().unwrap();
    analyse(app, 1, mesh.store(), outcomes).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_forwarding_every_request_is_one_whole_trace() {
    let report = run(&chain(everything())).await;
    let problems: Vec<_> = report.broken().filter_map(|request| request.problem.clone()).collect();
    assert_eq!(problems, []);
    let summary = serde_json::to_string(&report.summary()).unwrap();
    assert_eq!(
        summary,
        r#"{"requests":40,"traces":40,"spans":160,"broken":0,"services":{"front":"rust","back":"rust"}}"#
    );
    assert!(report.is_whole());
    for judged in &report.traces {
        let rows: Vec<_> = judged
            .trace
            .rows()
            .iter()
            .map(|row| {
                let span = &judged.trace.spans[row.span];
                format!("{} {} {}", row.depth, span.service, word(span.direction().unwrap()))
            })
            .collect();
        assert_eq!(rows, ["0 gateway egress", "1 front ingress", "2 front egress", "3 back ingress"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_forwarding_every_request_is_broken_and_the_rest_of_it_a_trace_of_its_own() {
    let report = run(&chain(&[])).await;
    let counts = report.summary();
    assert_eq!((counts.requests, counts.traces, counts.spans, counts.broken), (40, 80, 160, 40));
    assert_eq!(report.pieces().count(), 40);
    let torn_off = Problem::Incomplete { missing: vec!["front (egress)".into(), "back (ingress)".into()] };
    assert!(report.broken().all(|request| request.problem.as_ref() == Some(&torn_off)));
    assert!(!report.is_whole());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_only_the_request_id_forwarded_the_spans_of_a_request_are_found_in_two_traces() {
    let report = run(&chain(&["x-request-id"])).await;
    assert_eq!(report.summary().broken, 40);
    assert_eq!(report.pieces().count(), 0);
    assert!(report.broken().all(|request| request.problem == Some(Problem::Split { traces: 2 })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_mesh_leaves_no_process_and_no_file_behind() {
    let app = chain(everything());
    let mesh = Mesh::start(&app, &options(), Progress::silent()).await.unwrap();
    let (files, ids) = (mesh.files().to_owned(), mesh.process_ids());
    assert_eq!(ids.len(), 3, "the gateway and two sidecars");
    assert!(files.is_dir() && ids.iter().all(|id| is_running(*id)));
    mesh.stop();
    assert!(!files.exists());
    assert!(!ids.iter().any(|id| is_running(*id)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_stops_the_mesh_too() {
    let ids = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&ids);
    let task = tokio::spawn(async move {
        let app = chain(everything());
        let mesh = Mesh::start(&app, &options(), Progress::silent()).await.unwrap();
        *seen.lock().unwrap() = mesh.process_ids();
        panic!("on purpose");
    });
    assert!(task.await.unwrap_err().is_panic());
    let ids = ids.lock().unwrap().clone();
    assert_eq!(ids.len(), 3);
    assert!(!ids.iter().any(|id| is_running(*id)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_port_that_is_taken_is_named() {
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port();
    let options = Options { gateway_port: Some(port), ..options() };
    let error = Mesh::start(&chain(everything()), &options, Progress::silent()).await.unwrap_err();
    assert!(matches!(error, MeshError::PortTaken { port: named, .. } if named == port), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_envoy_that_dies_is_reported_with_its_log() {
    // `ls` does not know Envoy's arguments: it says so and ends.
    let options = Options { envoy: "/bin/ls".into(), ..options() };
    let error = Mesh::start(&chain(everything()), &options, Progress::silent()).await.unwrap_err();
    let MeshError::Died { name, log, .. } = &error else { panic!("{error}") };
    assert!(name.ends_with("-sidecar") || name == "gateway", "{name}");
    assert!(log.contains("config-path"), "{log}");
}

/// The mesh collects its processes, so an id that still answers belongs to one that runs.
fn is_running(id: u32) -> bool {
    let pid = i32::try_from(id).ok().and_then(rustix::process::Pid::from_raw).unwrap();
    rustix::process::test_kill_process(pid).is_ok()
}

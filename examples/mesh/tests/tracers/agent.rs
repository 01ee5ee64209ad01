//! Bookinfo with Datadog's tracer in front of Datadog's own test agent, the Python package `ddapm-test-agent`.
//!
//! `cargo xtask test` installs it and names its folder in `ONWARD_DATADOG_AGENT`.

use std::{
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use onward_mesh::{
    analysis::{Report, analyse},
    apps::bookinfo::Form,
    collector::{datadog, span::Span, store::Store},
    load,
    measure::Load,
    ports::Ports,
    process::Process,
    runner::Options,
    tracer::Tracer,
};

use super::{
    services::bookinfo,
    support::{options, start},
};

/// Spans of one whole request.
const SPANS: usize = 8;
/// What the agent checks about each report, beside that it can read it. An Envoy sends in chunks, so not its length.
const CHECKS: &str = "trace_count_header,meta_tracer_version_header";
/// For the agent to come up, and for traces to arrive, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

struct Agent {
    url: String,
    client: reqwest::Client,
    process: Process,
    // Last: the process writes into it until it is gone.
    _logs: tempfile::TempDir,
}

impl Agent {
    /// Starts the agent on a free port and waits until it answers.
    async fn start() -> (Self, std::net::SocketAddr) {
        let folder = std::env::var_os("ONWARD_DATADOG_AGENT").map(PathBuf::from);
        let folder =
            folder.unwrap_or_else(|| panic!("ONWARD_DATADOG_AGENT is not set: run `cargo xtask test mesh`"));
        let mut ports = Ports::default();
        // It also listens for OTLP, over HTTP and gRPC.
        let [port, http, grpc] = [(); 3].map(|()| ports.choose().unwrap().to_string());
        ports.release();
        let logs = tempfile::tempdir().unwrap();
        let mut command = Command::new(folder.join("bin/ddapm-test-agent"));
        command.env("PYTHONPATH", folder);
        // It keeps what it finds wrong until it is asked, and answers 200 before.
        command.env("ENABLED_CHECKS", CHECKS).env("DD_POOL_TRACE_CHECK_FAILURES", "true");
        command.args([
            "--port",
            &port,
            "--otlp-http-port",
            &http,
            "--otlp-grpc-port",
            &grpc,
            "--web-ui-port",
            "0",
        ]);
        let process = Process::spawn("agent", command, logs.path()).unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut agent = Self { url: format!("http://127.0.0.1:{port}"), client, process, _logs: logs };
        let started = Instant::now();
        while agent.get("/info").await.is_err() {
            agent.process.check().unwrap();
            assert!(started.elapsed() < PATIENCE, "{}", agent.process.log_tail());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let address = ([127, 0, 0, 1], port.parse().unwrap()).into();
        (agent, address)
    }

    /// The body of a 2xx answer; the body of another, or why there is none, as the error.
    async fn get(&self, path: &str) -> Result<Vec<u8>, String> {
        let sent = self.client.get(format!("{}{path}", self.url)).send().await;
        let answer = sent.map_err(|error| error.to_string())?;
        let fine = answer.status().is_success();
        let body = answer.bytes().await.map_err(|error| error.to_string())?.to_vec();
        if fine { Ok(body) } else { Err(String::from_utf8_lossy(&body).into_owned()) }
    }

    /// What it has received, once there are so many spans.
    async fn spans(&self, expected: usize) -> Vec<Span> {
        let started = Instant::now();
        loop {
            let spans = datadog::parse_json(&self.get("/test/traces").await.unwrap()).unwrap();
            if spans.len() >= expected {
                return spans;
            }
            assert!(started.elapsed() < PATIENCE, "{} of {expected} spans", spans.len());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

async fn run(forwarding: bool, Load { requests, concurrency }: Load) -> Report {
    let (agent, report_to) = Agent::start().await;
    let options = Options { forwarding, report_to: Some(report_to), ..options(Some(Tracer::Datadog)) };
    let mut app = bookinfo(Form::Explicit);
    // A client's own would make the gateway the child of a span that nobody reported.
    app.headers.retain(|(name, _)| !Tracer::Datadog.reads(name));
    let mesh = start(&app, &options).await;
    let outcomes = load::drive(mesh.gateway(), &app, requests, concurrency, |_| {}).await.unwrap();
    let spans = agent.spans(requests * SPANS).await;
    assert!(mesh.store().is_empty(), "they report to the agent");
    agent.get("/test/trace_check/failures").await.unwrap();
    let store = Store::new(10_000);
    store.add(spans);
    analyse(&app, 1, &store, outcomes).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the built services and Datadog's test agent: run `cargo xtask test mesh`"]
async fn datadogs_agent_has_whole_traces_of_128_bits() {
    let report = run(true, Load { requests: 200, concurrency: 16 }).await;
    let summary = report.summary();
    assert_eq!((summary.traces, summary.spans, summary.broken), (200, 200 * SPANS, 0));
    assert!(report.is_whole());
    // The upper half comes along in x-datadog-tags.
    assert!(report.traces.iter().all(|judged| !judged.trace.id.starts_with("0000000000000000")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the built services and Datadog's test agent: run `cargo xtask test mesh`"]
async fn without_forwarding_datadogs_agent_has_four_pieces_of_each() {
    let summary = run(false, Load { requests: 20, concurrency: 4 }).await.summary();
    assert_eq!((summary.traces, summary.broken), (4 * 20, 20));
}

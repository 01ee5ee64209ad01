//! Beside OpenTelemetry's own instrumentation, registered before Onward or after it: four services behind real Envoys.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic is how a test says that something does not hold"
)]

use std::{
    collections::HashSet,
    env,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, extract::State, http::HeaderMap, routing::get};
use onward_mesh::{
    analysis::{Report, analyse},
    app::{App, Launch, PortIn, Service, Start},
    collector::{
        span::{Direction, Span},
        trace::Trace,
    },
    envoy, load,
    ports::Ports,
    progress::Progress,
    runner::{Mesh, Options},
    settle::wait_for_spans,
    tracer::Tracer,
};

const REQUESTS: usize = 8;
/// The services in the order of their calls, each named as the framework that it is of.
const SERVICES: [&str; 4] = ["axum", "flask", "fastapi", "express"];
/// What the sidecars report of a request.
const HOPS: usize = 2 * SERVICES.len() + 2;
/// What the services report of it: what came in and the call, and Express its handler.
const OWN: usize = 2 * SERVICES.len() + 1;
/// For spans to arrive on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the leaf has received.
type Seen = Arc<Mutex<Vec<HeaderMap>>>;

fn app(order: &str, collector: u16, seen: &Seen) -> App {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named = |name| {
        let path = env::var_os(name).map(PathBuf::from);
        path.unwrap_or_else(|| panic!("{name} is not set: run `cargo xtask test mesh`"))
    };
    let own = env::current_exe().unwrap();
    let start = |service: &str| {
        let (program, args) = match service {
            // Cargo builds it along with the tests.
            "axum" => (own.ancestors().nth(2).unwrap().join("examples/instrumented"), vec![]),
            "express" => {
                let mut args = Vec::new();
                for step in order.split(' ') {
                    args.push("--require");
                    args.push(if step == "onward" { "onward/register" } else { "./instrumented/tracing.js" });
                }
                args.push("instrumented/express.js");
                (named("ONWARD_DEMO_NODE"), args)
            }
            _ => (named("ONWARD_DEMO_PYTHON"), vec!["instrumented/service.py", service]),
        };
        let variables = [
            ("ORDER", order.to_owned()),
            ("OTEL_SERVICE_NAME", format!("{service}-app")),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{collector}")),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf".into()),
            ("OTEL_BSP_SCHEDULE_DELAY", "100".into()),
        ];
        Start::Command(Launch {
            program,
            args: args.into_iter().map(Into::into).collect(),
            env: variables.map(|(name, value)| (name.to_owned(), value)).into(),
            dir: Some(folder.into()),
            port: PortIn::Env("PORT".into()),
        })
    };
    let nexts = SERVICES.iter().skip(1).chain([&"leaf"]);
    let mut services: Vec<_> = SERVICES
        .iter()
        .zip(nexts)
        .map(|(service, next)| Service::new(service, service, start(service)).calls(next, "NEXT"))
        .collect();
    let seen = Arc::clone(seen);
    let leaf = Start::task(move |listener, _| {
        let note = async |State(seen): State<Seen>, headers: HeaderMap| seen.lock().unwrap().push(headers);
        let router = Router::new().route("/health", get(|| async {})).route("/page", get(note));
        let router = router.with_state(Arc::clone(&seen));
        async move { axum::serve(listener, router).await.unwrap() }
    });
    services.push(Service::new("leaf", "axum", leaf));
    let headers = [("end-user", "jason"), ("sw8", "1-ZGVtbw==-ZGVtbw==-0-ZGVtbw==-ZGVtbw==-L3A=-ZGVtbw==")];
    App {
        name: "instrumented".into(),
        entry: SERVICES[0].into(),
        path: "/page".into(),
        headers: headers.map(|(name, value)| (name.into(), value.into())).into(),
        services,
    }
}

/// Eight requests, of which the sidecars report B3 and W3C; what they reported, and what the leaf has received.
async fn run(order: &str) -> (Report, Vec<HeaderMap>) {
    let spans = if order == "onward" { HOPS } else { HOPS + OWN };
    let mut ports = Ports::default();
    let collector = ports.choose().unwrap();
    ports.release();
    let tracer = Tracer::ZipkinW3c;
    let options = Options {
        viewer_port: Some(collector),
        tracer: Some(tracer),
        ..Options::new(envoy::find().unwrap_or_else(|error| panic!("{error}")))
    };
    let seen = Seen::default();
    let app = app(order, collector, &seen);
    let mut mesh = Mesh::start(&app, &options, Progress::silent()).await.unwrap();
    let outcomes = load::drive(mesh.gateway(), &app, REQUESTS, 4, |_| {}).await.unwrap();
    mesh.check().unwrap();
    wait_for_spans(mesh.store(), REQUESTS * spans, tracer.flush_interval(), PATIENCE).await;
    let report = analyse(&app, tracer.spans_per_hop(), mesh.store(), outcomes).unwrap();
    let seen = seen.lock().unwrap().clone();
    (report, seen)
}

/// From the call of a service up to the request that it is for, as its sidecar reports the two: the services of the spans
/// between them.
fn between<'a>(trace: &'a Trace, service: &str) -> Vec<&'a str> {
    let side = |span: &Span, direction| span.service == service && span.direction() == Some(direction);
    let find = |id: &str| trace.spans.iter().find(|span| span.id == id).map(|span| &**span);
    let above = |span: &Span| span.parent_id.as_deref().and_then(find);
    let call = trace.spans.iter().find(|span| side(span, Direction::Egress)).unwrap();
    let mut found = Vec::new();
    let mut span = above(call);
    while let Some(parent) = span.filter(|span| !side(span, Direction::Ingress)) {
        found.push(parent.service.as_str());
        span = above(parent);
    }
    assert!(span.is_some(), "the call of {service} does not hang under the request that came in");
    found
}

/// The ids that the gateway has given the requests.
fn request_ids(report: &Report) -> HashSet<&str> {
    report.requests.iter().filter_map(|request| request.outcome.request_id.as_deref()).collect()
}

/// What arrived under a name, of every request, if it arrived once.
fn received<'a>(seen: &'a [HeaderMap], name: &str) -> Vec<&'a str> {
    let lines = |headers: &'a HeaderMap| headers.get_all(name).iter().collect::<Vec<_>>();
    let only = |headers| match lines(headers)[..] {
        [] => None,
        [line] => Some(line.to_str().unwrap()),
        ref lines => panic!("{name}: {lines:?}"),
    };
    seen.iter().filter_map(only).collect()
}

/// Every request is one whole trace of so many spans, and arrives with the id that the gateway gave it.
async fn one_trace_each(order: &str, spans: usize) -> (Report, Vec<HeaderMap>) {
    let (report, seen) = run(order).await;
    let problems: Vec<_> = report.broken().filter_map(|request| request.problem.clone()).collect();
    assert_eq!(problems, []);
    assert_eq!((report.traces.len(), seen.len()), (REQUESTS, REQUESTS));
    assert!(report.traces.iter().all(|judged| judged.trace.spans.len() == spans));
    let arrived: HashSet<_> = received(&seen, "x-request-id").into_iter().collect();
    assert_eq!(arrived, request_ids(&report));
    (report, seen)
}

async fn has_the_services_spans_between(order: &str) {
    let (report, seen) = one_trace_each(order, HOPS + OWN).await;
    for judged in &report.traces {
        for service in SERVICES {
            let own = format!("{service}-app");
            let between = between(&judged.trace, service);
            assert!(
                !between.is_empty() && between.iter().all(|span| **span == own),
                "{service}: {between:?}"
            );
        }
    }
    for name in ["traceparent", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "end-user", "sw8"] {
        assert_eq!(received(&seen, name).len(), REQUESTS, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the services' packages: run `cargo xtask test mesh`"]
async fn with_onward_first_the_services_spans_are_between_those_of_the_sidecars() {
    has_the_services_spans_between("onward opentelemetry").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the services' packages: run `cargo xtask test mesh`"]
async fn with_opentelemetry_first_they_are_too() {
    has_the_services_spans_between("opentelemetry onward").await;
}

/// A control: OpenTelemetry forwards its own format, and nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the services' packages: run `cargo xtask test mesh`"]
async fn without_onward_the_requests_id_and_the_session_are_lost() {
    let (report, seen) = run("opentelemetry").await;
    let arrived: HashSet<_> = received(&seen, "x-request-id").into_iter().collect();
    assert_eq!((arrived.len(), arrived.is_disjoint(&request_ids(&report))), (REQUESTS, true));
    assert_eq!([received(&seen, "end-user"), received(&seen, "sw8")], [[""; 0]; 2]);
}

/// The other one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the services' packages: run `cargo xtask test mesh`"]
async fn without_opentelemetry_nothing_is_between_the_spans_of_the_sidecars() {
    let (report, _) = one_trace_each("onward", HOPS).await;
    for judged in &report.traces {
        assert_eq!(SERVICES.map(|service| between(&judged.trace, service)), [[""; 0]; 4]);
    }
}

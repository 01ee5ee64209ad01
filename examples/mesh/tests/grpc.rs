//! HTTP in front of gRPC, behind real Envoys: the services of `examples/grpc`, and what arrives at the far end.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod support;

use std::{path::Path, sync::Arc, sync::Mutex, time::Duration};

use axum::http::{HeaderMap, HeaderValue};
use grpc_example::{
    proto::{GetRequest, Stars, ratings_server::Ratings},
    ratings, reviews,
};
use onward_mesh::{
    analysis::{Report, analyse},
    app::{App, Start, word},
    apps::grpc,
    load,
    progress::Progress,
    runner::{FORWARDING_VARIABLE, Mesh, Options},
    settle,
};
use support::{FLUSH, options};
use tonic::{Request, Response, Status, transport::Endpoint};

const REQUESTS: usize = 20;
const CONCURRENCY: usize = 4;

/// What the client sends beside what the gateway adds.
const SENT: [(&str, &str); 7] = [
    ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03"),
    ("tracestate", "rojo=00f067aa0ba902b7, congo=t61rcWkgMzE,,=x"),
    // Binary metadata: base64 already, which no hop may decode and encode anew.
    ("grpc-trace-bin", "AABL+S81d7NNpqPOkp0ADkc2ATTwZ6oLqQK3AgE"),
    ("sw8", "1-ZGVtbw==-ZGVtbw==-0-ZGVtbw==-ZGVtbw==-L3A=-ZGVtbw=="),
    ("end-user", "jason"),
    ("cookie", "session=eyJ1c2VyIjoiamFzb24ifQ; theme=dark"),
    ("authorization", "Bearer abc.DEF-_~+/=="),
];

type Seen = Arc<Mutex<Vec<HeaderMap>>>;

/// ratings, and what it was asked with.
struct Watched(Seen);

#[tonic::async_trait]
impl Ratings for Watched {
    async fn get(&self, request: Request<GetRequest>) -> Result<Response<Stars>, Status> {
        self.0.lock().unwrap().push(request.metadata().clone().into_headers());
        ratings::Service.get(request).await
    }
}

/// The app, as tasks of the test.
fn app(seen: &Seen) -> App {
    let mut app = grpc::app(Path::new("grpc-example"));
    app.headers = SENT.map(|(name, value)| (name.into(), value.into())).to_vec();
    for service in &mut app.services {
        let seen = Arc::clone(seen);
        service.start = match service.name.as_str() {
            "reviews" => Start::task(|listener, env| async move {
                let ratings = format!("http://{}:{}", env["RATINGS_HOSTNAME"], env["RATINGS_SERVICE_PORT"]);
                let ratings = Endpoint::from_shared(ratings).unwrap();
                let router = reviews::router(&ratings, env[FORWARDING_VARIABLE] != "off");
                axum::serve(listener, router).await.unwrap();
            }),
            _ => Start::task(move |listener, _| {
                let router = ratings::router(Watched(Arc::clone(&seen)));
                async move { axum::serve(listener, router).await.unwrap() }
            }),
        };
    }
    app
}

async fn run(forwarding: bool) -> (Report, Vec<HeaderMap>) {
    let seen = Seen::default();
    let app = app(&seen);
    let options = Options { forwarding, ..options() };
    let mut mesh = Mesh::start(&app, &options, Progress::silent()).await.unwrap();
    let outcomes = load::drive(mesh.gateway(), &app, REQUESTS, CONCURRENCY, |_| {}).await.unwrap();
    settle::wait_for_spans(mesh.store(), REQUESTS * 4, FLUSH, Duration::from_secs(30)).await;
    mesh.check().unwrap();
    let report = analyse(&app, 1, mesh.store(), outcomes).unwrap();
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen.len(), REQUESTS);
    (report, seen)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_over_http_and_grpc_is_one_whole_trace_and_its_headers_arrive_byte_for_byte() {
    let (report, seen) = run(true).await;
    assert!(report.is_whole());
    assert_eq!(report.summary().traces, 20);
    for judged in &report.traces {
        let spans = &judged.trace.spans;
        let rows: Vec<_> = judged
            .trace
            .rows()
            .iter()
            .map(|row| {
                let span = &spans[row.span];
                format!("{} {} {}", row.depth, span.service, word(span.direction().unwrap()))
            })
            .collect();
        assert_eq!(rows, ["0 gateway egress", "1 reviews ingress", "2 reviews egress", "3 ratings ingress"]);
    }
    for headers in seen {
        for (name, value) in SENT {
            let received: Vec<_> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
            assert_eq!(received, [value.as_bytes()], "{name}");
        }
        assert_eq!(headers["content-type"], "application/grpc");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_onward_switched_off_the_grpc_half_is_a_trace_of_its_own_and_nothing_arrives() {
    let (report, seen) = run(false).await;
    let counts = report.summary();
    assert_eq!((counts.requests, counts.traces, counts.broken), (20, 40, 20));
    for headers in seen {
        assert!(SENT.iter().all(|(name, _)| !headers.contains_key(*name)), "{headers:?}");
    }
}

//! gateway -> front -> back as tasks of the test, where front forwards with Onward as its environment says, and back
//! writes down what it receives.

use std::sync::{Arc, Mutex};

use axum::{Router, extract::State, http::HeaderMap, routing::get};
use onward::Propagator;
use onward_mesh::{
    analysis::Report,
    app::{App, Environment, Service, Start},
    envoy,
    measure::{Load, measure},
    progress::Progress,
    runner::{FORWARDING_VARIABLE, Mesh, Options},
    tracer::Tracer,
};
use tokio::net::TcpListener;

/// Spans of one whole request, one a hop.
pub(crate) const HOPS: usize = 4;

pub(crate) type Seen = Arc<Mutex<Vec<HeaderMap>>>;

/// The app; `rules` are front's `ONWARD_HEADERS`.
pub(crate) fn chain(rules: &'static str, seen: &Seen) -> App {
    let seen = Arc::clone(seen);
    let front = Start::task(move |listener, env| front(listener, env, rules));
    let back = Start::task(move |listener, _| back(listener, Arc::clone(&seen)));
    App {
        name: "chain".into(),
        entry: "front".into(),
        path: "/page".into(),
        headers: vec![],
        services: vec![
            Service::new("front", "rust", front).calls("back", "BACK"),
            Service::new("back", "rust", back),
        ],
    }
}

#[derive(Clone)]
struct Front {
    upstream: String,
    client: reqwest::Client,
    /// `None` with forwarding switched off.
    propagator: Option<Propagator>,
}

async fn front(listener: TcpListener, env: Environment, rules: &str) {
    let variable = |name: &str| match name {
        "ONWARD_HEADERS" => Some(rules.to_owned()),
        _ => env.get(name).cloned(),
    };
    let front = Front {
        upstream: format!("http://{}:{}/data", env["BACK_HOSTNAME"], env["BACK_SERVICE_PORT"]),
        client: reqwest::Client::builder().no_proxy().build().unwrap(),
        propagator: (env[FORWARDING_VARIABLE] == "on")
            .then(|| Propagator::builder().variables(variable).build().unwrap()),
    };
    let app = Router::new().route("/health", get(|| async {})).route("/page", get(page)).with_state(front);
    axum::serve(listener, app).await.unwrap();
}

async fn page(State(front): State<Front>, inbound: HeaderMap) -> String {
    let mut outbound = HeaderMap::new();
    if let Some(propagator) = front.propagator {
        propagator.extract(&inbound).inject(&mut outbound);
    }
    let answer = front.client.get(&front.upstream).headers(outbound).send().await.unwrap();
    answer.text().await.unwrap()
}

async fn back(listener: TcpListener, seen: Seen) {
    let note = move |State(seen): State<Seen>, headers: HeaderMap| async move {
        seen.lock().unwrap().push(headers);
        "data"
    };
    let app = Router::new().route("/health", get(|| async {})).route("/data", get(note)).with_state(seen);
    axum::serve(listener, app).await.unwrap();
}

/// Options with the Envoy of this machine; says what to do if there is none.
pub(crate) fn options(tracer: Option<Tracer>) -> Options {
    Options { tracer, ..Options::new(envoy::find().unwrap_or_else(|error| panic!("{error}"))) }
}

pub(crate) async fn start(app: &App, options: &Options) -> Mesh {
    Mesh::start(app, options, Progress::silent()).await.unwrap()
}

/// One run of the app.
pub(crate) async fn run(app: &App, options: &Options, requests: usize) -> Report {
    let load = Load { requests, concurrency: 8 };
    measure(app, options, load, Progress::silent()).await.unwrap().1
}

/// Sends one request through the gateway with these headers, and returns what back received.
pub(crate) async fn visit(mesh: &Mesh, headers: &[(&str, &[u8])], seen: &Seen) -> HeaderMap {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.get(format!("http://{}/page", mesh.gateway()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    assert_eq!(request.send().await.unwrap().status(), 200);
    let mut seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 1);
    seen.remove(0)
}

//! Two services in a chain, as tasks of the test, with forwarding written by hand.

use axum::{Router, extract::State, http::HeaderMap, routing::get};
use onward_mesh::app::{App, Environment, Service, Start};
use tokio::net::TcpListener;

/// What Zipkin's tracer needs, and the request id. Written out here: the test must not trust what it proves.
const FORWARDED: [&str; 6] =
    ["x-request-id", "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags"];

/// gateway -> front -> back, where `front` forwards only the headers named here.
pub(crate) fn chain(forwarded: &'static [&'static str]) -> App {
    let front = Start::task(move |listener, env| front(listener, env, forwarded));
    App {
        name: "chain".into(),
        entry: "front".into(),
        path: "/page?number=1".into(),
        headers: vec![("end-user".into(), "user-{n}".into())],
        services: vec![
            Service::new("front", "rust", front).calls("back", "BACK"),
            Service::new("back", "rust", Start::task(|listener, _| back(listener))),
        ],
    }
}

/// All that is needed.
pub(crate) fn everything() -> &'static [&'static str] {
    &FORWARDED
}

#[derive(Clone)]
struct Front {
    upstream: String,
    client: reqwest::Client,
    forwarded: &'static [&'static str],
}

async fn front(listener: TcpListener, env: Environment, forwarded: &'static [&'static str]) {
    let upstream = format!("http://{}:{}/data", env["BACK_HOSTNAME"], env["BACK_SERVICE_PORT"]);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let app = Router::new()
        .route("/health", get(|| async { "ok" }))
        .route("/page", get(page))
        .with_state(Front { upstream, client, forwarded });
    axum::serve(listener, app).await.unwrap();
}

async fn page(State(front): State<Front>, inbound: HeaderMap) -> String {
    let mut outbound = HeaderMap::new();
    for name in front.forwarded {
        for value in inbound.get_all(*name) {
            outbound.append(*name, value.clone());
        }
    }
    let answer = front.client.get(&front.upstream).headers(outbound).send().await.unwrap();
    answer.text().await.unwrap()
}

async fn back(listener: TcpListener) {
    let app = Router::new().route("/health", get(|| async { "ok" })).route("/data", get(|| async { "data" }));
    axum::serve(listener, app).await.unwrap();
}

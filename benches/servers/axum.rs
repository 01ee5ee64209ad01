//! axum: `onward-bench-axum PORT`. One handler for each way to forward, chosen by the path.

use std::{error::Error, hint::black_box, net::Ipv4Addr, sync::LazyLock};

use axum::{Router, routing::get};
use http::HeaderMap;
use opentelemetry::{
    Context,
    propagation::{TextMapCompositePropagator, TextMapPropagator},
};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use rustix::time::{ClockId, clock_gettime};

static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    onward::default_propagator().plan().headers.into_iter().map(|header| header.name).collect()
});

static OPENTELEMETRY: LazyLock<TextMapCompositePropagator> = LazyLock::new(|| {
    #[expect(deprecated, reason = "Istio speaks B3, and there is no other propagator for it")]
    let b3 = opentelemetry_zipkin::Propagator::new();
    TextMapCompositePropagator::new(vec![
        Box::new(TraceContextPropagator::new()),
        Box::new(BaggagePropagator::new()),
        Box::new(b3),
    ])
});

/// One core serves and the other one asks.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).ok_or("needs a port")?.parse()?;
    let app = Router::new()
        .route("/none", get(none))
        .route("/hand_written", get(hand_written))
        .route("/opentelemetry", get(opentelemetry))
        .route("/onward", get(forwarding))
        .route("/cpu", get(cpu));
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    Ok(axum::serve(listener, app).await?)
}

async fn none() -> &'static str {
    "ok"
}

/// The loop that everybody writes.
async fn hand_written(inbound: HeaderMap) -> &'static str {
    let mut forward = HeaderMap::new();
    for name in NAMES.iter() {
        if let (Some(value), Ok(name)) = (inbound.get(name), name.parse::<http::HeaderName>()) {
            forward.insert(name, value.clone());
        }
    }
    black_box(forward);
    "ok"
}

async fn opentelemetry(inbound: HeaderMap) -> &'static str {
    let _attached: opentelemetry::ContextGuard =
        Context::attach(OPENTELEMETRY.extract(&HeaderExtractor(&inbound)));
    "ok"
}

#[onward::propagate]
async fn forwarding() -> &'static str {
    "ok"
}

/// The nanoseconds that this process has had of a processor.
async fn cpu() -> String {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    (time.tv_sec * 1_000_000_000 + time.tv_nsec).to_string()
}

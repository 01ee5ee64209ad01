//! A service beside OpenTelemetry's own instrumentation: axum-tracing-opentelemetry in front, reqwest-tracing behind.
//!
//! `ORDER` is what the server and the client go through, and in which order: `onward opentelemetry`, for instance, or one of
//! them alone.

use std::{env, error::Error};

use axum::{Router, extract::State, http::Extensions, routing::get};
use axum_tracing_opentelemetry::middleware::OtelAxumLayer;
use onward::{reqwest::Forward, tower::ForwardLayer};
use opentelemetry::{global, trace::TracerProvider};
use opentelemetry_http::HeaderInjector;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::{propagation::TraceContextPropagator, trace::SdkTracerProvider};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};
use reqwest_tracing::TracingMiddleware;
use tokio::net::TcpListener;
use tracing_subscriber::layer::SubscriberExt;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let order = env::var("ORDER")?;
    if order.contains("opentelemetry") {
        report()?;
    }
    let no_redirects = reqwest::redirect::Policy::none();
    let client = reqwest::Client::builder().no_proxy().redirect(no_redirects).build()?;
    let mut client = ClientBuilder::new(client);
    let mut router = Router::new().route("/health", get(|| async {})).route("/page", get(page));
    for step in order.split(' ') {
        client = match step {
            "onward" => client.with(Forward::new()),
            _ => client.with(TracingMiddleware::default()).with(Propagate),
        };
    }
    // The last layer is the outermost.
    for step in order.rsplit(' ') {
        router = match step {
            "onward" => router.layer(ForwardLayer::new()),
            _ => router.layer(OtelAxumLayer::default().filter(|path| path != "/health")),
        };
    }
    let port = env::var("PORT")?.parse()?;
    let listener = TcpListener::bind((env::var("HOST")?, port)).await?;
    axum::serve(listener, router.with_state(client.build())).await?;
    Ok(())
}

/// Starts the SDK, which has the spans of `tracing`.
fn report() -> Result<(), Box<dyn Error>> {
    let exporter = SpanExporter::builder().with_http().build()?;
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).build();
    let bridge = tracing_opentelemetry::layer().with_tracer(provider.tracer("instrumented"));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(bridge))?;
    global::set_text_map_propagator(TraceContextPropagator::new());
    Ok(())
}

async fn page(State(client): State<ClientWithMiddleware>) -> Result<String, String> {
    let variable = |name| env::var(name).map_err(|error| error.to_string());
    let next = format!("http://{}:{}/page", variable("NEXT_HOSTNAME")?, variable("NEXT_SERVICE_PORT")?);
    let answer = client.get(next).send().await.map_err(|error| error.to_string())?;
    answer.text().await.map_err(|error| error.to_string())
}

/// Has OpenTelemetry's propagator write its headers. What reqwest-tracing has for that is for an older crate opentelemetry.
struct Propagate;

#[async_trait::async_trait]
impl Middleware for Propagate {
    async fn handle(
        &self,
        mut request: reqwest::Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        global::get_text_map_propagator(|propagator| {
            propagator.inject(&mut HeaderInjector(request.headers_mut()));
        });
        next.run(request, extensions).await
    }
}

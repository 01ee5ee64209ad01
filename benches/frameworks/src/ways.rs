//! The ways to forward, each a client for the handlers of the matrix's servers.

use std::sync::{Arc, LazyLock};

use http::{HeaderMap, HeaderValue};
use onward_matrix::call::{Answer, Call, Lookup};
use opentelemetry::{
    global,
    propagation::{Extractor, TextMapCompositePropagator},
    trace::TracerProvider,
};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    propagation::{BaggagePropagator, TraceContextPropagator},
    trace::{SdkTracerProvider, SpanData, SpanExporter},
};
use reqwest::Client;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use reqwest_tracing::TracingMiddleware;
use tracing::{Instrument, Level};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

use crate::Failure;

/// One way to forward.
pub(crate) struct Way {
    pub(crate) name: &'static str,
    /// Which of the handlers is asked.
    pub(crate) route: &'static str,
    pub(crate) client: fn() -> Result<Arc<dyn Call>, Failure>,
    /// Which of [`WATCHED`] arrive where the handler calls.
    pub(crate) forwards: &'static [&'static str],
}

/// Headers of every fixture, by which a way shows that it does what it says.
pub(crate) const WATCHED: [&str; 2] = ["x-b3-traceid", "x-request-id"];

pub(crate) const WAYS: [Way; 4] = [
    Way { name: "none", route: "bare", client: || Ok(Arc::new(Plain(Client::new()))), forwards: &[] },
    Way {
        name: "hand_written",
        route: "headers",
        client: || Ok(Arc::new(ByHand(Client::new()))),
        forwards: &WATCHED,
    },
    Way { name: "opentelemetry", route: "headers", client: opentelemetry, forwards: &["x-b3-traceid"] },
    Way {
        name: "onward",
        route: "attribute",
        client: || Ok(Arc::new(Onward(onward::reqwest::client(Client::builder())?))),
        forwards: &WATCHED,
    },
];

/// Nothing is forwarded.
struct Plain(Client);

impl Call for Plain {
    fn get(&self, url: String) -> Answer {
        Box::pin(send(self.0.get(url)))
    }
}

/// The loop that everybody writes.
struct ByHand(Client);

/// Leaked: the loop runs over literals.
static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let headers = onward::default_propagator().plan().headers;
    headers.into_iter().map(|header| &*header.name.leak()).collect()
});

impl Call for ByHand {
    fn get(&self, url: String) -> Answer {
        self.get_with(url, &|_| None)
    }

    fn get_with(&self, url: String, inbound: Lookup<'_, '_>) -> Answer {
        let mut headers = HeaderMap::new();
        for &name in NAMES.iter() {
            if let Some(value) = inbound(name).and_then(|value| HeaderValue::from_bytes(value).ok()) {
                headers.insert(name, value);
            }
        }
        Box::pin(send(self.0.get(url).headers(headers)))
    }
}

async fn send(request: reqwest::RequestBuilder) -> Result<String, String> {
    let response = request.send().await.map_err(|error| error.to_string())?;
    response.text().await.map_err(|error| error.to_string())
}

/// The line that Onward has for reqwest. The scope is the attribute's.
struct Onward(ClientWithMiddleware);

impl Call for Onward {
    fn get(&self, url: String) -> Answer {
        Box::pin(send_through(self.0.get(url)))
    }
}

async fn send_through(request: reqwest_middleware::RequestBuilder) -> Result<String, String> {
    let response = request.send().await.map_err(|error| error.to_string())?;
    response.text().await.map_err(|error| error.to_string())
}

/// A span for the request, whose parent is what came in, and reqwest-tracing with a span for the call.
///
/// The first span is the least that the instrumentation of a framework makes; it is made by hand because those of the
/// frameworks agree on no version with reqwest-tracing.
struct Traced(ClientWithMiddleware);

fn opentelemetry() -> Result<Arc<dyn Call>, Failure> {
    #[expect(deprecated, reason = "Istio speaks B3, and there is no other propagator for it")]
    let b3 = opentelemetry_zipkin::Propagator::new();
    global::set_text_map_propagator(TextMapCompositePropagator::new(vec![
        Box::new(TraceContextPropagator::new()),
        Box::new(BaggagePropagator::new()),
        Box::new(b3),
    ]));
    let tracer = SdkTracerProvider::builder().with_batch_exporter(Nowhere).build().tracer("bench");
    // The other ways share the process: none of the libraries' own spans may cost them anything.
    let ours = Targets::new()
        .with_targets(["onward_bench_frameworks", "reqwest_tracing"].map(|it| (it, Level::INFO)));
    let spans = tracing_opentelemetry::layer().with_tracer(tracer);
    tracing_subscriber::registry().with(ours).with(spans).try_init()?;
    let client = ClientBuilder::new(Client::new()).with(TracingMiddleware::default()).build();
    Ok(Arc::new(Traced(client)))
}

impl Call for Traced {
    fn get(&self, url: String) -> Answer {
        self.get_with(url, &|_| None)
    }

    fn get_with(&self, url: String, inbound: Lookup<'_, '_>) -> Answer {
        let span = tracing::info_span!("request", otel.kind = "server");
        let parent = global::get_text_map_propagator(|propagator| propagator.extract(&Inbound(inbound)));
        if let Err(error) = span.set_parent(parent) {
            return Box::pin(async move { Err(error.to_string()) });
        }
        Box::pin(send_through(self.0.get(url)).instrument(span))
    }
}

struct Inbound<'l, 'a>(Lookup<'l, 'a>);

impl Extractor for Inbound<'_, '_> {
    fn get(&self, name: &str) -> Option<&str> {
        std::str::from_utf8((self.0)(name)?).ok()
    }

    /// None of the propagators asks.
    fn keys(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// Where the spans go: what a real exporter costs is not counted.
#[derive(Debug)]
struct Nowhere;

impl SpanExporter for Nowhere {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }
}

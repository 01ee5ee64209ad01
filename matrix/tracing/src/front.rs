//! The service in Rust: axum and reqwest, under `#[onward::propagate]` or, as the control, without.

use std::{env, error::Error, sync::Arc};

use axum::{Router, extract::State, http::HeaderMap, routing::get};
use opentelemetry::{
    propagation::{TextMapCompositePropagator, TextMapPropagator},
    trace::{FutureExt, SpanKind, TraceContextExt, Tracer, TracerProvider},
};
use opentelemetry_aws::trace::XrayPropagator;
use opentelemetry_http::HeaderExtractor;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::{
    propagation::TraceContextPropagator,
    trace::{SdkTracer, SdkTracerProvider},
};
#[allow(deprecated, reason = "its exporter is; a propagator of B3 is nowhere else")]
use opentelemetry_zipkin::{B3Encoding, Propagator as B3Propagator};
use reqwest_middleware::ClientWithMiddleware;
use tokio::net::TcpListener;

struct Front {
    http: ClientWithMiddleware,
    next: String,
    spans: Option<Spans>,
}

/// OpenTelemetry's SDK.
struct Spans {
    tracer: SdkTracer,
    propagator: TextMapCompositePropagator,
}

/// Serves until it is stopped. The environment is that of `chain.rs`.
///
/// # Errors
///
/// When a variable is missing or wrong, or it cannot listen.
pub async fn serve() -> Result<(), Box<dyn Error>> {
    onward::init_from_env()?;
    let next = format!("http://{}:{}/page", env::var("NEXT_HOSTNAME")?, env::var("NEXT_SERVICE_PORT")?);
    let builder = reqwest::Client::builder().no_proxy();
    let forwards = env::var("ONWARD_DEMO_FORWARDING")? == "on";
    let (http, page) = if forwards {
        (onward::reqwest::client(builder)?, get(forwarding))
    } else {
        (builder.build()?.into(), get(alone))
    };
    let spans = env::var_os("OTEL_SERVICE_NAME").map(|_| Spans::new()).transpose()?;
    let front = Arc::new(Front { http, next, spans });
    let app = Router::new().route("/health", get(|| async {})).route("/page", page).with_state(front);
    let port = env::var("PORT")?.parse()?;
    axum::serve(TcpListener::bind((env::var("HOST")?, port)).await?, app).await?;
    Ok(())
}

#[onward::propagate]
async fn forwarding(inbound: HeaderMap, State(front): State<Arc<Front>>) -> Result<String, String> {
    front.page(&inbound).await
}

async fn alone(inbound: HeaderMap, State(front): State<Arc<Front>>) -> Result<String, String> {
    front.page(&inbound).await
}

impl Front {
    async fn page(&self, inbound: &HeaderMap) -> Result<String, String> {
        let call = async {
            Ok::<_, reqwest_middleware::Error>(self.http.get(&self.next).send().await?.text().await?)
        };
        let Some(Spans { tracer, propagator }) = &self.spans else {
            return call.await.map_err(|error| error.to_string());
        };
        let parent = propagator.extract(&HeaderExtractor(inbound));
        let span =
            tracer.span_builder("page").with_kind(SpanKind::Server).start_with_context(tracer, &parent);
        call.with_context(parent.with_span(span)).await.map_err(|error| error.to_string())
    }
}

impl Spans {
    #[allow(deprecated, reason = "as above")]
    fn new() -> Result<Self, Box<dyn Error>> {
        let exporter = SpanExporter::builder().with_http().build()?;
        let tracer = SdkTracerProvider::builder().with_batch_exporter(exporter).build().tracer("front");
        let propagators = env::var("OTEL_PROPAGATORS")?;
        let propagators = propagators.split(',').map(|name| -> Box<dyn TextMapPropagator + Send + Sync> {
            match name {
                "b3" => Box::new(B3Propagator::with_encoding(B3Encoding::SingleAndMultiHeader)),
                "xray" => Box::new(XrayPropagator::default()),
                _ => Box::new(TraceContextPropagator::new()),
            }
        });
        Ok(Self { tracer, propagator: TextMapCompositePropagator::new(propagators.collect()) })
    }
}

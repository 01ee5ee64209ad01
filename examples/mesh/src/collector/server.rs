//! The collector behind HTTP: Zipkin's v2 API, the receivers of the other formats, and the viewer.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::{DefaultBodyLimit, Path, Query as Parameters, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use tokio::net::TcpListener;

use super::links::links;
use super::query::Query;
use super::receive::{self, from_zipkin};
use super::span::trace_id;
use super::store::Store;
use super::trace::Trace;
use super::zipkin::WireSpan;
use crate::viewer;

/// The largest body that is accepted, in bytes. Envoy sends a few kilobytes at a time.
pub const MAX_BODY_BYTES: usize = 5 * 1024 * 1024;
/// How long requests that are under way may take once the server was told to stop.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// Serves the Zipkin v2 API and the viewer until `shutdown` is ready; requests under way then get two seconds.
///
/// # Errors
///
/// Whatever accepting connections fails with.
///
/// ```no_run
/// use std::sync::Arc;
/// use onward_mesh::collector::{server, store::Store};
///
/// # async fn run() -> std::io::Result<()> {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let store = Arc::new(Store::new(100_000));
/// server::serve(listener, store, async { tokio::signal::ctrl_c().await.unwrap_or(()) }).await
/// # }
/// ```
pub async fn serve(
    listener: TcpListener,
    store: Arc<Store>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    serve_router(listener, router(store, &viewer::Options::default()), shutdown).await
}

/// As [`serve`], with any router: for a caller that adds routes to [`router`].
///
/// # Errors
///
/// Whatever accepting connections fails with.
pub async fn serve_router(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    let shutdown = async move {
        shutdown.await;
        stop.send_replace(true);
    };
    let overdue = async move {
        // An error means that the server has ended by itself: then its own result is what counts.
        if stopped.wait_for(|stopped| *stopped).await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(STOP_GRACE).await;
    };
    tokio::select! {
        result = axum::serve(listener, router).with_graceful_shutdown(shutdown) => result,
        () = overdue => Ok(()),
    }
}

/// The routes of the Zipkin v2 API, of the other receivers and of the viewer.
pub fn router(store: Arc<Store>, options: &viewer::Options) -> Router {
    Router::new()
        .route("/api/v2/spans", post(from_zipkin).get(span_names))
        .route("/api/v2/traces", get(traces))
        .route("/api/v2/trace/{id}", get(trace))
        .route("/api/v2/traceMany", get(trace_many))
        .route("/api/v2/services", get(services))
        .route("/api/v2/dependencies", get(dependencies))
        .route("/health", get(health))
        .merge(receive::router())
        .with_state(Arc::clone(&store))
        .merge(viewer::router(store, options))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
}

async fn traces(
    State(store): State<Arc<Store>>,
    Parameters(given): Parameters<HashMap<String, String>>,
) -> Response {
    match Query::from_parameters(&given) {
        Ok(query) => wire_all(&query.select(store.traces(), now_us())),
        Err(error) => bad_request(&error),
    }
}

async fn trace(State(store): State<Arc<Store>>, Path(id): Path<String>) -> Response {
    if let Err(error) = trace_id(&id) {
        return bad_request(&error);
    }
    match store.trace(&id) {
        Some(trace) => Json(wire(&trace)).into_response(),
        None => (StatusCode::NOT_FOUND, "no span of this trace is here (any more)\n").into_response(),
    }
}

async fn trace_many(
    State(store): State<Arc<Store>>,
    Parameters(given): Parameters<HashMap<String, String>>,
) -> Response {
    let ids = given.get("traceIds").map_or("", String::as_str);
    let mut found = Vec::new();
    for id in ids.split(',') {
        if let Err(error) = trace_id(id) {
            return bad_request(&error);
        }
        found.extend(store.trace(id));
    }
    wire_all(&found)
}

async fn services(State(store): State<Arc<Store>>) -> Json<BTreeSet<String>> {
    Json(store.spans().iter().map(|span| span.service.clone()).collect())
}

async fn span_names(
    State(store): State<Arc<Store>>,
    Parameters(given): Parameters<HashMap<String, String>>,
) -> Json<BTreeSet<String>> {
    let wanted = given.get("serviceName").map(|name| name.to_lowercase());
    let spans = store.spans();
    let of_service = spans.iter().filter(|span| wanted.as_ref().is_some_and(|name| span.service == *name));
    Json(of_service.map(|span| span.name.clone()).filter(|name| !name.is_empty()).collect())
}

async fn dependencies(
    State(store): State<Arc<Store>>,
    Parameters(given): Parameters<HashMap<String, String>>,
) -> Response {
    match Query::from_parameters(&given) {
        Ok(query) => {
            let query = Query { limit: usize::MAX, ..query };
            Json(links(&query.select(store.traces(), now_us()))).into_response()
        }
        Err(error) => bad_request(&error),
    }
}

async fn health(State(store): State<Arc<Store>>) -> Json<serde_json::Value> {
    Json(json!({ "status": "UP", "collector": store.counts() }))
}

fn wire(trace: &Trace) -> Vec<WireSpan> {
    trace.spans.iter().map(|span| WireSpan::from(span.as_ref().clone())).collect()
}

fn wire_all(traces: &[Trace]) -> Response {
    Json(traces.iter().map(wire).collect::<Vec<_>>()).into_response()
}

fn bad_request(error: &impl std::fmt::Display) -> Response {
    (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response()
}

fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

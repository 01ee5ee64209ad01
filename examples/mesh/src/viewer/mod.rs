//! The page that shows the traces: a list, a waterfall of each, and the service graph.
//!
//! Everything is decided here, in Rust ([`model`]); the page only draws. It is made of the plain files under
//! `page/`, embedded in the binary, and asks no other origin for anything.

mod judged;
pub mod model;
mod page;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;

use crate::collector::links::links;
use crate::collector::span::trace_id;
use crate::collector::store::Store;
use judged::Judge;

/// How the viewer judges.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long after its last span a trace counts as still arriving rather than broken.
    pub settle: Duration,
}

impl Default for Options {
    fn default() -> Self {
        // Envoy reports at least every five seconds.
        Self { settle: Duration::from_secs(6) }
    }
}

/// The routes of the page and of the data that it draws.
pub fn router(store: Arc<Store>, options: &Options) -> Router {
    Router::new()
        .route("/api/view/traces", get(traces))
        .route("/api/view/trace/{id}", get(trace))
        .route("/api/view/graph", get(graph))
        .with_state(Arc::new(Judge::new(store, options.settle)))
        .merge(page::router())
}

#[derive(Debug, Deserialize)]
struct After {
    after: Option<u64>,
}

/// 204 if nothing has changed since revision `after` and nothing can change by itself.
async fn traces(State(judge): State<Arc<Judge>>, Query(After { after }): Query<After>) -> Response {
    let view = judge.view();
    let list = model::list(&view);
    if after == Some(list.revision) && !list.has_arriving() {
        return StatusCode::NO_CONTENT.into_response();
    }
    fresh(Json(list))
}

async fn trace(State(judge): State<Arc<Judge>>, Path(id): Path<String>) -> Response {
    let view = judge.view();
    let detail = trace_id(&id).ok().and_then(|id| view.find(&id)).map(|index| model::detail(&view, index));
    match detail {
        Some(detail) => fresh(Json(detail)),
        None => (StatusCode::NOT_FOUND, "no span of this trace is here (any more)\n").into_response(),
    }
}

async fn graph(State(judge): State<Arc<Judge>>) -> Response {
    let view = judge.view();
    fresh(Json(model::graph(&view, links(view.traces()))))
}

fn fresh(body: impl IntoResponse) -> Response {
    ([(header::CACHE_CONTROL, "no-store"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")], body).into_response()
}

//! axum.

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::routing::get;
use http::{HeaderMap, HeaderValue};

use crate::call::{Call, answer, answer_with};
use crate::running::Running;

type App = Arc<dyn Call>;

#[onward::propagate]
async fn attribute(State(call): State<App>, RawQuery(query): RawQuery) -> String {
    answer(&*call, &query.unwrap_or_default()).await
}

async fn plain(State(call): State<App>, RawQuery(query): RawQuery) -> String {
    answer(&*call, &query.unwrap_or_default()).await
}

async fn headers(State(call): State<App>, RawQuery(query): RawQuery, headers: HeaderMap) -> String {
    let lookup = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    answer_with(&*call, &query.unwrap_or_default(), &lookup).await
}

pub(super) async fn start(call: App) -> Result<Running, String> {
    let router = Router::new()
        .route("/middleware", get(plain))
        .layer(onward::tower::ForwardLayer::new())
        .route("/attribute", get(attribute))
        .route("/bare", get(plain))
        .route("/headers", get(headers))
        .with_state(call);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(Running::http(address, move || serving.abort()))
}

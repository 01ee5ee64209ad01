//! axum.

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::routing::get;

use crate::call::{Call, answer};
use crate::running::Running;

type App = Arc<dyn Call>;

#[onward::propagate]
async fn attribute(State(call): State<App>, RawQuery(query): RawQuery) -> String {
    answer(&*call, &query.unwrap_or_default()).await
}

async fn plain(State(call): State<App>, RawQuery(query): RawQuery) -> String {
    answer(&*call, &query.unwrap_or_default()).await
}

pub(super) async fn start(call: App) -> Result<Running, String> {
    let router = Router::new()
        .route("/middleware", get(plain))
        .layer(onward::tower::ForwardLayer::new())
        .route("/attribute", get(attribute))
        .route("/bare", get(plain))
        .with_state(call);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(Running::http(address, move || serving.abort()))
}

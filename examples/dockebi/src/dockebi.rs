//! dockebi, the middle of the chain: it asks storage and answers with what it got.

use std::time::Duration;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use onward::reqwest::RequestBuilderExt;
use reqwest::{Client, redirect::Policy};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::config::Config;

const TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Clone)]
struct App {
    http: Client,
    storage_address: String,
    forwarding: bool,
}

#[derive(Serialize)]
struct Found {
    service: &'static str,
    storage: Box<RawValue>,
}

#[derive(Serialize)]
struct Failed {
    service: &'static str,
    error: &'static str,
}

/// The routes `/`, `/goblins` and `/health`.
///
/// # Errors
///
/// When the HTTP client cannot be made.
pub(crate) fn router(config: &Config) -> Result<Router, reqwest::Error> {
    let http = Client::builder()
        .timeout(TIMEOUT)
        // A redirect could lead credentials out of the mesh, and a proxy of the machine is not part of it.
        .redirect(Policy::none())
        .no_proxy()
        .build()?;
    let app = App { http, storage_address: config.storage_address.clone(), forwarding: config.forwarding };
    Ok(Router::new()
        .route("/", get(home))
        .route("/goblins", get(goblins))
        .route("/health", get("dockebi is healthy"))
        .with_state(app))
}

#[onward::propagate]
async fn home(State(app): State<App>) -> Response {
    app.ask_storage("/").await
}

#[onward::propagate]
async fn goblins(State(app): State<App>) -> Response {
    app.ask_storage("/goblins").await
}

impl App {
    async fn ask_storage(&self, path: &str) -> Response {
        match self.fetch(path).await {
            Ok(storage) => Json(Found { service: "dockebi", storage }).into_response(),
            Err(error) => {
                eprintln!("dockebi: {error}");
                let failed = Failed { service: "dockebi", error: "dockebi-storage is currently unavailable" };
                (StatusCode::BAD_GATEWAY, Json(failed)).into_response()
            }
        }
    }

    async fn fetch(&self, path: &str) -> Result<Box<RawValue>, reqwest::Error> {
        let mut request = self.http.get(format!("{}{path}", self.storage_address));
        if self.forwarding {
            request = request.forward_headers();
        }
        request.send().await?.error_for_status()?.json().await
    }
}

//! dockebi, the middle of the chain: it asks storage and answers with what it got.

use std::{error::Error, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use reqwest::Client;
use reqwest_middleware::ClientWithMiddleware;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::config::Config;

const TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Clone)]
struct App {
    http: ClientWithMiddleware,
    storage_address: String,
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
    // A proxy of the machine is not part of the mesh.
    let client = Client::builder().timeout(TIMEOUT).no_proxy();
    let http = if config.forwarding {
        // Wrapped once: every call made with it from a handler carries the handler's headers.
        onward::reqwest::client(client)?
    } else {
        client.build()?.into()
    };
    let app = App { http, storage_address: config.storage_address.clone() };
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

    async fn fetch(&self, path: &str) -> Result<Box<RawValue>, Box<dyn Error + Send + Sync>> {
        let response = self.http.get(format!("{}{path}", self.storage_address)).send().await?;
        match response.status() {
            StatusCode::OK => Ok(response.json().await?),
            status => Err(status.to_string().into()),
        }
    }
}

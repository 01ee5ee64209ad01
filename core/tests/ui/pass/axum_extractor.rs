//! A free axum handler without a carrier gets an extractor, with and without a policy of its own.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::routing::{get, post};

#[onward::propagate]
async fn plain() -> &'static str {
    "plain"
}

#[onward::propagate(except = "cookie", except = "authorization")]
async fn own_policy(Path(id): Path<u32>, State(name): State<String>) -> Result<String, String> {
    if id == 0 { Err("none".into()) } else { Ok(name) }
}

#[onward::propagate]
async fn with_body(State(_): State<String>, body: Bytes) -> Bytes {
    body
}

#[onward::propagate]
async fn with_request(State(_): State<String>, request: axum::extract::Request) -> String {
    request.uri().to_string()
}

fn main() {
    let router: Router<String> = Router::new()
        .route("/plain", get(plain))
        .route("/own/{id}", get(own_policy))
        .route("/body", post(with_body))
        .route("/request", get(with_request));
    let _: Router = router.with_state(String::new());
}

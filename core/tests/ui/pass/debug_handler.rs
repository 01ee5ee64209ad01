//! Above `#[axum::debug_handler]`; below it too where an argument holds the headers, so that none is added.

use axum::Router;
use axum::routing::get;

#[onward::propagate]
#[axum::debug_handler]
async fn above() -> &'static str {
    "above"
}

#[axum::debug_handler]
#[onward::propagate]
async fn under(headers: http::HeaderMap) -> String {
    headers.len().to_string()
}

fn main() {
    let _: Router = Router::new().route("/above", get(above)).route("/under", get(under));
}

//! Handlers with policies of their own stand side by side, and in functions.

#[onward::propagate(except = "cookie")]
fn one(headers: &http::HeaderMap) -> usize {
    headers.len()
}

#[onward::propagate(preset = "w3c", add = "x-tenant-id", except = "baggage")]
fn two(headers: &http::HeaderMap) -> usize {
    headers.len()
}

fn main() {
    #[onward::propagate(add = "x-canary-*")]
    async fn inner() -> &'static str {
        "inner"
    }
    let _ = axum::Router::<()>::new().route("/", axum::routing::get(inner));
    one(&http::HeaderMap::new());
    two(&http::HeaderMap::new());
}

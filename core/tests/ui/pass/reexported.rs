//! Through a crate that re-exports Onward.

mod toolkit {
    pub use onward;
}

#[toolkit::onward::propagate(crate = toolkit::onward)]
async fn handler(headers: http::HeaderMap) -> usize {
    headers.len()
}

#[toolkit::onward::propagate(crate = crate::toolkit::onward, except = "cookie")]
async fn extracted() {}

fn main() {
    drop(handler(http::HeaderMap::new()));
    let _ = axum::Router::<()>::new().route("/", axum::routing::get(extracted));
}

//! The expansion warns of nothing.

#![deny(warnings, clippy::pedantic)]

#[onward::propagate]
async fn handler(headers: http::HeaderMap) -> Result<(), ()> {
    drop(headers);
    Ok(())
}

#[onward::propagate(except = "cookie")]
async fn extracted() -> usize {
    0
}

fn main() {
    drop(handler(http::HeaderMap::new()));
    let _ = extracted;
}

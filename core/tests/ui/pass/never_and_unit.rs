//! No result, and none ever.

#[onward::propagate]
async fn unit(headers: http::HeaderMap) {
    drop(headers);
}

#[onward::propagate]
async fn never(headers: http::HeaderMap) -> std::convert::Infallible {
    drop(headers);
    std::future::pending().await
}

fn main() {
    drop(unit(http::HeaderMap::new()));
    drop(never(http::HeaderMap::new()));
}

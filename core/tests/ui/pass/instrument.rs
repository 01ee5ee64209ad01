//! Under and above `#[tracing::instrument]`.

#[tracing::instrument]
#[onward::propagate]
async fn under(headers: http::HeaderMap) -> usize {
    headers.len()
}

#[onward::propagate]
#[tracing::instrument]
async fn above(headers: http::HeaderMap) -> usize {
    headers.len()
}

fn main() {
    drop(under(http::HeaderMap::new()));
    drop(above(http::HeaderMap::new()));
}

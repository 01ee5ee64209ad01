//! The future of a handler can be sent.

fn is_send<T: Send>(_: T) {}

#[onward::propagate]
async fn handler(headers: http::HeaderMap) -> usize {
    std::future::ready(()).await;
    headers.len()
}

fn main() {
    is_send(handler(http::HeaderMap::new()));
}

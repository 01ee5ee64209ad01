#[onward::propagate]
async fn handler(headers: http::HeaderMap) -> usize {
    drop(headers);
    headers.len()
}

fn main() {}

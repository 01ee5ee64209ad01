#[onward::propagate]
async fn handler(headers: http::HeaderMap) -> usize {
    let _ = headers.len();
}

fn main() {}

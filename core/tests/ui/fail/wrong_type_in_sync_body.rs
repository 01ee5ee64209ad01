#[onward::propagate]
fn handler(headers: http::HeaderMap) -> String {
    headers.len()
}

fn main() {}

#[onward::propagate(from = headers, from = headers)]
fn handler(headers: http::HeaderMap) {
    let _ = headers;
}

fn main() {}

#[onward::propagate(from)]
fn handler(headers: http::HeaderMap) {
    let _ = headers;
}

fn main() {}

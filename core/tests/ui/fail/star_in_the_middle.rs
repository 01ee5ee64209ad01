#[onward::propagate(add = "x-*-id")]
fn handler(headers: http::HeaderMap) {
    let _ = headers;
}

fn main() {}

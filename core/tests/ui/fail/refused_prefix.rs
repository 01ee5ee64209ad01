#[onward::propagate(add = "x-envoy-*")]
fn handler(headers: http::HeaderMap) {
    let _ = headers;
}

fn main() {}

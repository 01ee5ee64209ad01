#[onward::propagate(propagator = "w3c")]
fn handler(headers: http::HeaderMap) {
    let _ = headers;
}

fn main() {}

#[onward::propagate(propagator = onward::default_propagator(), preset = "w3c")]
fn handler(headers: http::HeaderMap) {
    let _ = headers;
}

fn main() {}

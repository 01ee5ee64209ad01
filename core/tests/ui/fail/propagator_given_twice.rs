#[onward::propagate(propagator = *onward::default_propagator(), propagator = *onward::default_propagator())]
fn handler(headers: http::HeaderMap) {
    let _ = headers;
}

fn main() {}

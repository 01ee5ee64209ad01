#[onward::propagate(preset = "w3c", preset = "w3c")]
fn handler(headers: http::HeaderMap) {
    let _ = headers;
}

fn main() {}

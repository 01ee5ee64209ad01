#[onward::propagate(preset = "zipking")]
fn handler(headers: http::HeaderMap) {
    let _ = headers;
}

fn main() {}

#[onward::propagate(except = "x tenant")]
fn handler(headers: http::HeaderMap) {
    let _ = headers;
}

fn main() {}

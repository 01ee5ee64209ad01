#[onward::propagate(except = cookie)]
fn handler(headers: http::HeaderMap) {
    let _ = headers;
}

fn main() {}

#[onward::propagate(except = "")]
fn handler(headers: http::HeaderMap) {
    let _ = headers;
}

fn main() {}

#[onward::propagate(add = "*")]
fn handler(headers: http::HeaderMap) {
    let _ = headers;
}

fn main() {}

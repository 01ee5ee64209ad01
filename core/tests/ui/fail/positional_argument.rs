#[onward::propagate("cookie")]
fn handler(headers: http::HeaderMap) {
    let _ = headers;
}

fn main() {}

#[onward::propagate(add = "content-length")]
fn handler(headers: http::HeaderMap) {
    let _ = headers;
}

fn main() {}

#[onward::propagate(crate = onward, crate = onward)]
fn handler(headers: http::HeaderMap) {
    let _ = headers;
}

fn main() {}

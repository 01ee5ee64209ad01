#[onward::propagate(add = "x-tenant-id", add = "x-tenant-id")]
fn handler(headers: http::HeaderMap) {
    let _ = headers;
}

fn main() {}

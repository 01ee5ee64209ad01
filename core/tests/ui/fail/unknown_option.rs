#[onward::propagate(header = "x-tenant-id")]
fn handler(headers: http::HeaderMap) {
    let _ = headers;
}

fn main() {}

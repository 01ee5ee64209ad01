//! Patterns stay patterns.

use http::request::Parts;

#[onward::propagate]
async fn parts(Parts { headers, method, .. }: Parts, (a, b): (u32, u32)) -> usize {
    headers.len() + method.as_str().len() + (a + b) as usize
}

#[onward::propagate]
fn ignored(_: &http::HeaderMap) {}

fn main() {
    drop(parts(http::Request::new(()).into_parts().0, (1, 2)));
    ignored(&http::HeaderMap::new());
}

//! Borrowed arguments and a borrowed result.

#[onward::propagate]
async fn longest<'a>(headers: &http::HeaderMap, a: &'a str, b: &'a str) -> &'a str {
    let _ = headers;
    if a.len() > b.len() { a } else { b }
}

fn main() {
    drop(longest(&http::HeaderMap::new(), "a", "b"));
}

//! An alias hides the type's name; `from` says where the headers are.

type Headers = http::HeaderMap;

#[onward::propagate(from = headers)]
async fn handler(headers: Headers) -> usize {
    headers.len()
}

fn main() {
    drop(handler(Headers::new()));
}

//! A function that gives back a future, with a `return` in its body.

use std::future::{Future, ready};

#[onward::propagate]
fn handler(headers: http::HeaderMap) -> impl Future<Output = usize> + Send {
    if headers.is_empty() {
        return ready(0);
    }
    ready(headers.len())
}

fn main() {
    drop(handler(http::HeaderMap::new()));
}

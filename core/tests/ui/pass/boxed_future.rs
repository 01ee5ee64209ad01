//! A boxed future, written out.

use std::future::Future;
use std::pin::Pin;

#[onward::propagate]
fn handler<'a>(headers: &'a http::HeaderMap) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>> {
    Box::pin(async move { headers.len() })
}

fn main() {
    drop(handler(&http::HeaderMap::new()));
}

//! Generic arguments, lifetimes, `where` and `impl Trait` on both sides.

use std::fmt::Display;

#[onward::propagate]
async fn handler<B, const N: usize>(
    request: http::Request<B>,
    names: &[&str; N],
    extra: impl Display + Send,
) -> impl Display
where
    B: Send + 'static,
{
    let _ = request;
    format!("{} {extra}", names[0])
}

fn main() {
    drop(handler(http::Request::new(()), &["a"], 1));
}

//! The user's names do not meet those of the expansion.

#![allow(non_snake_case)]

mod core {}
mod std {}
struct Option;
struct Result;

#[onward::propagate]
fn handler(headers: &http::HeaderMap, __onward_scope: u32) -> u32 {
    let _ = (headers, Option, Result);
    __onward_scope
}

fn main() {
    handler(&http::HeaderMap::new(), 1);
}

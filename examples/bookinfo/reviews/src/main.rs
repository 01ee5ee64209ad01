//! Bookinfo's reviews service, in Rust.
fn main() {}

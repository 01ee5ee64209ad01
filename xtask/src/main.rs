//! The only commands anyone needs.
fn main() {}

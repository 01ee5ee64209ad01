//! The three-component chain: gateway, dockebi, dockebi-storage.
fn main() {}

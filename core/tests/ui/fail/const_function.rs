#[onward::propagate(from = [("a", "b")])]
const fn handler() {}

fn main() {}

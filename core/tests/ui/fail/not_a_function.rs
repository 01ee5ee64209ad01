#[onward::propagate]
struct Handler;

fn main() {}

#[onward::propagate(from = id)]
fn handler(id: u32) -> u32 {
    id
}

fn main() {}

#[onward::propagate]
fn handler(id: u32) -> u32 {
    id
}

fn main() {
    handler(1);
}

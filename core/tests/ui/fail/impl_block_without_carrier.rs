struct Service;

#[onward::propagate]
impl Service {
    fn count(&self) -> u32 {
        1
    }
}

fn main() {
    Service.count();
}

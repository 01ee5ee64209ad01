struct Service;

impl Service {
    #[onward::propagate]
    async fn handler(&self, id: u32) -> u32 {
        id
    }
}

fn main() {}

struct Service {
    headers: http::HeaderMap,
}

#[onward::propagate(from = self.headers)]
impl Service {
    fn count(&self) -> usize {
        self.headers.len()
    }
}

fn main() {}

//! A trait's own method, with a body.

trait Handler {
    fn limit(&self) -> usize;

    #[onward::propagate]
    fn handle(&self, headers: &http::HeaderMap) -> bool {
        headers.len() < self.limit()
    }
}

struct Service;

impl Handler for Service {
    fn limit(&self) -> usize {
        1
    }
}

fn main() {
    assert!(Service.handle(&http::HeaderMap::new()));
}

//! Every kind of receiver.

use std::sync::Arc;

struct Service(usize);

impl Service {
    #[onward::propagate]
    async fn by_mutable_reference(&mut self, headers: http::HeaderMap) {
        self.0 += headers.len();
    }

    #[onward::propagate]
    async fn by_value(mut self, headers: http::HeaderMap) -> Self {
        self.0 += headers.len();
        self
    }

    #[onward::propagate]
    async fn by_arc(self: Arc<Self>, headers: http::HeaderMap) -> usize {
        self.0 + headers.len()
    }
}

fn main() {
    let mut service = Service(0);
    drop(service.by_mutable_reference(http::HeaderMap::new()));
    drop(Arc::new(Service(1)).by_arc(http::HeaderMap::new()));
    drop(service.by_value(http::HeaderMap::new()));
}

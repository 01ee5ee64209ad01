//! A propagator from a static, a function, a field.

use std::sync::LazyLock;

use onward::Propagator;

static SHARED: LazyLock<Propagator> = LazyLock::new(Propagator::default);

#[onward::propagate(propagator = *SHARED)]
fn by_static(headers: &http::HeaderMap) -> usize {
    headers.len()
}

#[onward::propagate(propagator = *onward::default_propagator())]
async fn by_function() -> &'static str {
    "extracted"
}

struct Service(Propagator);

impl Service {
    #[onward::propagate(propagator = self.0)]
    fn by_field(&self, headers: &http::HeaderMap) -> usize {
        headers.len()
    }
}

fn main() {
    by_static(&http::HeaderMap::new());
    let _ = axum::Router::<()>::new().route("/", axum::routing::get(by_function));
    Service(Propagator::default()).by_field(&http::HeaderMap::new());
}

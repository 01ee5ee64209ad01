//! On a whole block: methods with a carrier are wrapped, the others stay.

struct Service;

#[onward::propagate]
impl Service {
    const NAME: &'static str = "service";

    const fn new() -> Self {
        Self
    }

    async fn handle(&self, request: http::Request<()>) -> usize {
        request.headers().len()
    }

    fn count(&self, headers: &http::HeaderMap) -> usize {
        headers.len() + Self::NAME.len()
    }
}

fn main() {
    let service = Service::new();
    drop(service.handle(http::Request::new(())));
    service.count(&http::HeaderMap::new());
}

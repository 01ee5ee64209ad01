//! On a method under `async_trait`, which has made a boxed future of it by then.

#[async_trait::async_trait]
trait Handler {
    async fn handle(&self, request: http::Request<()>) -> usize;
}

struct Service;

#[async_trait::async_trait]
impl Handler for Service {
    #[onward::propagate]
    async fn handle(&self, request: http::Request<()>) -> usize {
        request.headers().len()
    }
}

fn main() {
    let request = http::Request::new(());
    drop(Service.handle(request));
}

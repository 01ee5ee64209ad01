//! In a trait's implementation, where the attribute runs before `async_trait` does.

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

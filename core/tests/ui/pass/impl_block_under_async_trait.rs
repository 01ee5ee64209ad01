//! Under `async_trait`, which tonic exports too, on the whole block.

#[tonic::async_trait]
trait Handler {
    async fn handle(&self, request: http::Request<()>) -> usize;
    async fn name(&self) -> &str;
}

struct Service;

#[tonic::async_trait]
#[onward::propagate]
impl Handler for Service {
    async fn handle(&self, request: http::Request<()>) -> usize {
        request.headers().len()
    }

    async fn name(&self) -> &str {
        "service"
    }
}

fn main() {
    drop(Service.handle(http::Request::new(())));
    drop(Service.name());
}

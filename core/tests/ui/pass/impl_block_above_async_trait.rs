//! Above `async_trait`, on the whole block.

#[async_trait::async_trait]
trait Handler {
    async fn handle(&self, request: http::Request<()>) -> usize;
    fn name(&self) -> &str;
}

struct Service;

#[onward::propagate(except = "cookie")]
#[async_trait::async_trait]
impl Handler for Service {
    async fn handle(&self, request: http::Request<()>) -> usize {
        request.headers().len()
    }

    fn name(&self) -> &str {
        "service"
    }
}

fn main() {
    drop(Service.handle(http::Request::new(())));
    assert_eq!(Service.name(), "service");
}

//! A gRPC service with one method of each kind, as generated code would have it. Its messages are texts.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio_stream::Stream;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};

pub(super) type Texts = Pin<Box<dyn Stream<Item = Result<String, Status>> + Send>>;

#[tonic::async_trait]
pub(super) trait Relay: Send + Sync + 'static {
    async fn unary(&self, request: Request<String>) -> Result<Response<String>, Status>;
    async fn down(&self, request: Request<String>) -> Result<Response<Texts>, Status>;
    async fn up(&self, request: Request<Streaming<String>>) -> Result<Response<String>, Status>;
    async fn both(&self, request: Request<Streaming<String>>) -> Result<Response<Texts>, Status>;
}

pub(super) struct RelayServer<T>(Arc<T>);

impl<T> RelayServer<T> {
    pub(super) fn new(relay: T) -> Self {
        Self(Arc::new(relay))
    }
}

impl<T> Clone for RelayServer<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> NamedService for RelayServer<T> {
    const NAME: &'static str = "onward.Relay";
}

pub(super) fn codec() -> ProstCodec<String, String> {
    ProstCodec::default()
}

impl<T: Relay> Service<http::Request<Body>> for RelayServer<T> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let relay = self.0.clone();
        Box::pin(async move {
            let mut grpc = Grpc::new(codec());
            let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
            Ok(match method.as_str() {
                "Unary" => {
                    let method = service_fn(|request| {
                        let relay = relay.clone();
                        async move { relay.unary(request).await }
                    });
                    grpc.unary(method, request).await
                }
                "Down" => {
                    let method = service_fn(|request| {
                        let relay = relay.clone();
                        async move { relay.down(request).await }
                    });
                    grpc.server_streaming(method, request).await
                }
                "Up" => {
                    let method = service_fn(|request| {
                        let relay = relay.clone();
                        async move { relay.up(request).await }
                    });
                    grpc.client_streaming(method, request).await
                }
                "Both" => {
                    let method = service_fn(|request| {
                        let relay = relay.clone();
                        async move { relay.both(request).await }
                    });
                    grpc.streaming(method, request).await
                }
                _ => Status::unimplemented(method).into_http(),
            })
        })
    }
}

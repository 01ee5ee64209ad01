//! tonic: the interceptor, and the layer.

use std::sync::Arc;

use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use onward::tonic::Forward;
use tokio::net::TcpStream;
use tonic::body::Body;
use tonic::client::{Grpc, GrpcService};
use tonic::metadata::MetadataMap;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Endpoint;
use tonic::{Request, Response};
use tonic_prost::ProstCodec;
use tower::{Layer, service_fn};

use crate::call::{Answer, Call, LOOPBACK, caller_headers};

/// A call of the method that the URL's path names.
async fn unary<S>(mut grpc: Grpc<S>, uri: &Uri) -> Result<String, String>
where
    S: GrpcService<Body>,
    S::ResponseBody: Send + 'static,
    <S::ResponseBody as http_body::Body>::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    grpc.ready().await.map_err(|error| error.into().to_string())?;
    let mut headers = http::HeaderMap::new();
    for (name, value) in caller_headers(&uri.to_string()) {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let mut request = Request::new(String::new());
    *request.metadata_mut() = MetadataMap::from_headers(headers);
    let path = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    let answer = grpc.unary(request, path, ProstCodec::<String, String>::default()).await;
    answer.map(Response::into_inner).map_err(|status| status.to_string())
}

fn parse(url: &str) -> Result<Uri, String> {
    url.parse().map_err(|error: http::uri::InvalidUri| error.to_string())
}

/// Where the name of the URL is told to lead.
fn authority(uri: &Uri) -> String {
    format!("{LOOPBACK}:{}", uri.port_u16().unwrap_or(80))
}

struct Interceptor;

pub(super) fn interceptor() -> Result<Arc<dyn Call>, String> {
    Ok(Arc::new(Interceptor))
}

impl Call for Interceptor {
    fn get(&self, url: String) -> Answer {
        // Under the handler's scope: what is called is polled by the handler.
        Box::pin(async move {
            let uri = parse(&url)?;
            let to = authority(&uri);
            let connector = service_fn(move |_: Uri| {
                let to = to.clone();
                async move { TcpStream::connect(to).await.map(TokioIo::new) }
            });
            let channel = Endpoint::from(uri.clone()).connect_with_connector(connector).await;
            let channel = channel.map_err(|error| format!("{error:?}"))?;
            let intercepted = InterceptedService::new(channel, Forward::to(uri.clone()));
            unary(Grpc::new(intercepted), &uri).await
        })
    }
}

/// Over hyper-util's client: it sends `user-agent` as it came.
struct Layered(Client<HttpConnector<ToLoopback>, Body>);

/// Resolves every name to loopback.
#[derive(Clone)]
struct ToLoopback;

impl tower::Service<hyper_util::client::legacy::connect::dns::Name> for ToLoopback {
    type Response = std::iter::Once<std::net::SocketAddr>;
    type Error = std::convert::Infallible;
    type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), std::convert::Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: hyper_util::client::legacy::connect::dns::Name) -> Self::Future {
        std::future::ready(Ok(std::iter::once(std::net::SocketAddr::new(LOOPBACK, 0))))
    }
}

pub(super) fn layer() -> Result<Arc<dyn Call>, String> {
    let connector = HttpConnector::new_with_resolver(ToLoopback);
    Ok(Arc::new(Layered(Client::builder(TokioExecutor::new()).http2_only(true).build(connector))))
}

impl Call for Layered {
    fn get(&self, url: String) -> Answer {
        let client = self.0.clone();
        Box::pin(async move {
            let uri = parse(&url)?;
            let mut origin = uri.clone().into_parts();
            origin.path_and_query = Some(PathAndQuery::from_static("/"));
            let origin = Uri::from_parts(origin).map_err(|error| error.to_string())?;
            unary(Grpc::with_origin(Forward::to(uri.clone()).layer(client), origin), &uri).await
        })
    }
}

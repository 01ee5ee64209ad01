//! tonic: a gRPC service, asked by a gRPC client.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{HeaderMap, HeaderValue, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use onward::tower::ForwardLayer;
use tonic::body::Body;
use tonic::metadata::MetadataMap;
use tonic::server::NamedService;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};

use super::serving::listen;
use crate::call::{Answer, Call, answer, answer_with};
use crate::inbound;
use crate::running::{Ask, Running, query};

type Answered = Result<Response<String>, Status>;

/// As code generated from a `.proto` file has it; messages are texts.
#[tonic::async_trait]
trait Relay {
    async fn attribute(&self, request: Request<String>) -> Answered;
    async fn plain(&self, request: Request<String>) -> Answered;
    async fn headers(&self, request: Request<String>) -> Answered;
}

#[derive(Clone)]
struct App(Arc<dyn Call>);

#[tonic::async_trait]
impl Relay for App {
    #[onward::propagate]
    async fn attribute(&self, request: Request<String>) -> Answered {
        self.plain(request).await
    }

    async fn plain(&self, request: Request<String>) -> Answered {
        Ok(Response::new(answer(&*self.0, request.get_ref()).await))
    }

    async fn headers(&self, request: Request<String>) -> Answered {
        let headers: &HeaderMap = request.metadata().as_ref();
        let lookup = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
        Ok(Response::new(answer_with(&*self.0, request.get_ref(), &lookup).await))
    }
}

impl NamedService for App {
    const NAME: &'static str = "matrix.Relay";
}

impl Service<http::Request<Body>> for App {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let app = self.clone();
        Box::pin(async move {
            let path = request.uri().path().to_owned();
            let method = service_fn(move |request| {
                let (app, path) = (app.clone(), path.clone());
                async move {
                    match path.as_str() {
                        "/matrix.Relay/attribute" => app.attribute(request).await,
                        "/matrix.Relay/headers" => app.headers(request).await,
                        _ => app.plain(request).await,
                    }
                }
            });
            Ok(tonic::server::Grpc::new(ProstCodec::default()).unary(method, request).await)
        })
    }
}

struct Asks {
    bare: SocketAddr,
    covered: SocketAddr,
}

impl Ask for Asks {
    fn ask(&self, route: &'static str, to: String) -> Answer {
        let address = if route == "/middleware" { self.covered } else { self.bare };
        Box::pin(async move { ask(address, route, &to).await })
    }
}

/// By a transport that sends `user-agent` as it is, which tonic's own does not.
async fn ask(address: SocketAddr, route: &str, to: &str) -> Result<String, String> {
    let origin: Uri = format!("http://{address}").parse().map_err(|error| format!("{error}"))?;
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let mut headers = HeaderMap::new();
    for (name, value) in inbound::lines() {
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|error| error.to_string())?;
        headers.append(name, value);
    }
    let mut request = Request::new(query(to));
    *request.metadata_mut() = MetadataMap::from_headers(headers);
    let path = format!("/matrix.Relay{route}").parse().map_err(|error| format!("{error}"))?;
    let answer = tonic::client::Grpc::with_origin(client, origin)
        .unary(request, path, ProstCodec::<String, String>::default())
        .await;
    answer.map(Response::into_inner).map_err(|status| format!("asking: {status}"))
}

pub(super) async fn start(call: Arc<dyn Call>) -> Result<Running, String> {
    let app = App(call);
    let (bare_listener, bare) = listen().await?;
    let (covered_listener, covered) = listen().await?;
    let bare_server = Server::builder().add_service(app.clone());
    let covered_server = Server::builder().layer(ForwardLayer::new()).add_service(app);
    let serving = [
        tokio::spawn(bare_server.serve_with_incoming(TcpIncoming::from(bare_listener))),
        tokio::spawn(covered_server.serve_with_incoming(TcpIncoming::from(covered_listener))),
    ];
    let stop = move || serving.iter().for_each(tokio::task::JoinHandle::abort);
    Ok(Running::new(bare, Asks { bare, covered }, stop))
}

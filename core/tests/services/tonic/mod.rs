//! tonic in front of tonic: what came into one arrives at the other, by every kind of call.

mod service;

use std::net::SocketAddr;

use bytes::Bytes;
use http::Uri;
use http::uri::PathAndQuery;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use onward::tonic::Forward;
use onward::tower::ForwardLayer;
use tokio_stream::StreamExt;
use tonic::client::{Grpc, GrpcService};
use tonic::metadata::MetadataMap;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status, Streaming};
use tower::Layer;

use self::service::{Relay, RelayServer, Texts, codec};
use crate::support::{FORWARDED, inbound, lines};

fn method(name: &str) -> PathAndQuery {
    format!("/onward.Relay/{name}").parse().expect("a path")
}

fn listen() -> (TcpIncoming, SocketAddr) {
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let address = incoming.local_addr().expect("an address");
    (incoming, address)
}

fn serve(relay: impl Relay) -> SocketAddr {
    let (incoming, address) = listen();
    let server = Server::builder().add_service(RelayServer::new(relay));
    tokio::spawn(server.serve_with_incoming(incoming));
    address
}

/// The same behind the layer.
fn serve_covered(relay: impl Relay) -> SocketAddr {
    let (incoming, address) = listen();
    let server = Server::builder().layer(ForwardLayer::new()).add_service(RelayServer::new(relay));
    tokio::spawn(server.serve_with_incoming(incoming));
    address
}

async fn channel(address: SocketAddr) -> Channel {
    Endpoint::from_shared(format!("http://{address}")).expect("a URL").connect().await.expect("a connection")
}

/// A request with the inbound metadata.
fn request<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    *request.metadata_mut() = MetadataMap::from_headers(inbound());
    request
}

/// A tonic channel writes its own name behind a `user-agent`.
fn as_channels_send(lines: &str) -> String {
    lines.replace("curl/8", "curl/8 tonic/0.14.9 tonic/0.14.9")
}

/// The same after the first of two channels.
fn as_captured(lines: &str) -> String {
    lines.replace("curl/8", "curl/8 tonic/0.14.9")
}

/// The backend: answers with the metadata that it was asked with, and with the bytes in `grpc-trace-bin`.
struct Echo;

#[tonic::async_trait]
impl Relay for Echo {
    async fn unary(&self, request: Request<String>) -> Result<Response<String>, Status> {
        let trace = request.metadata().get_bin("grpc-trace-bin").and_then(|value| value.to_bytes().ok());
        let mut response = Response::new(lines(request.metadata().as_ref()));
        if let Some(trace) = trace {
            response.metadata_mut().insert("x-decoded", format!("{trace:?}").parse().expect("ASCII"));
        }
        Ok(response)
    }

    async fn down(&self, _: Request<String>) -> Result<Response<Texts>, Status> {
        Err(Status::unimplemented("down"))
    }

    async fn up(&self, _: Request<Streaming<String>>) -> Result<Response<String>, Status> {
        Err(Status::unimplemented("up"))
    }

    async fn both(&self, _: Request<Streaming<String>>) -> Result<Response<Texts>, Status> {
        Err(Status::unimplemented("both"))
    }
}

/// Calls the backend by a service that forwards.
async fn call<S>(service: S) -> Result<Response<String>, Status>
where
    S: GrpcService<tonic::body::Body>,
    S::ResponseBody: Send + 'static,
    <S::ResponseBody as hyper::body::Body>::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut grpc = Grpc::new(service);
    grpc.ready().await.map_err(|error| Status::unknown(error.into().to_string()))?;
    grpc.unary(Request::new(String::new()), method("Unary"), codec()).await
}

/// What a method does: it calls the backend, the second time by another kind of client.
#[derive(Clone)]
struct Backend {
    address: SocketAddr,
    channel: Channel,
}

impl Backend {
    async fn new() -> Self {
        let address = serve(Echo);
        Self { address, channel: channel(address).await }
    }

    fn forward(&self) -> Forward {
        Forward::to(format!("http://{}", self.address).parse().expect("a URL"))
    }

    async fn ask(&self) -> Result<String, Status> {
        let by_interceptor =
            call(InterceptedService::new(self.channel.clone(), self.forward())).await?.into_inner();
        let by_layer = call(self.forward().layer(self.channel.clone())).await?.into_inner();
        assert_eq!(by_interceptor, by_layer);
        Ok(by_layer)
    }
}

/// What is in scope while a stream is polled.
fn seen() -> String {
    format!("{} in scope", onward::current().len())
}

/// A stream that looks at the scope when it is polled; the second half was given the handler's.
fn looks() -> Texts {
    let look = || tokio_stream::once(()).map(|()| Ok(seen()));
    Box::pin(look().chain(onward::carry_stream(look())))
}

const LOOKED: [&str; 2] = ["0 in scope", "7 in scope"];

async fn down(backend: &Backend) -> Result<Response<Texts>, Status> {
    let asked = backend.ask().await?;
    Ok(Response::new(Box::pin(tokio_stream::once(Ok(asked)).chain(looks()))))
}

async fn up(backend: &Backend, mut texts: Streaming<String>) -> Result<Response<String>, Status> {
    let mut asked = Vec::new();
    while let Some(text) = texts.message().await? {
        asked.push(format!("{text}\n{}", backend.ask().await?));
    }
    Ok(Response::new(asked.join("\n\n")))
}

fn both(backend: &Backend, texts: Streaming<String>) -> Response<Texts> {
    let backend = backend.clone();
    let answers = texts.then(move |text| {
        let backend = backend.clone();
        async move { Ok(format!("{}\n{}", text?, backend.ask().await?)) }
    });
    // It goes on when this method is done.
    Response::new(Box::pin(onward::carry_stream(answers)))
}

/// Every method under the attribute.
struct Attributed(Backend);

#[tonic::async_trait]
impl Relay for Attributed {
    #[onward::propagate]
    async fn unary(&self, request: Request<String>) -> Result<Response<String>, Status> {
        tokio::task::yield_now().await;
        if request.get_ref() == "refuse" {
            return Err(Status::invalid_argument(seen()));
        }
        self.0.ask().await.map(Response::new)
    }

    #[onward::propagate]
    async fn down(&self, _: Request<String>) -> Result<Response<Texts>, Status> {
        down(&self.0).await
    }

    #[onward::propagate]
    async fn up(&self, request: Request<Streaming<String>>) -> Result<Response<String>, Status> {
        up(&self.0, request.into_inner()).await
    }

    #[onward::propagate]
    async fn both(&self, request: Request<Streaming<String>>) -> Result<Response<Texts>, Status> {
        Ok(both(&self.0, request.into_inner()))
    }
}

/// The same without it.
struct Plain(Backend);

#[tonic::async_trait]
impl Relay for Plain {
    async fn unary(&self, _: Request<String>) -> Result<Response<String>, Status> {
        self.0.ask().await.map(Response::new)
    }

    async fn down(&self, _: Request<String>) -> Result<Response<Texts>, Status> {
        down(&self.0).await
    }

    async fn up(&self, request: Request<Streaming<String>>) -> Result<Response<String>, Status> {
        up(&self.0, request.into_inner()).await
    }

    async fn both(&self, request: Request<Streaming<String>>) -> Result<Response<Texts>, Status> {
        Ok(both(&self.0, request.into_inner()))
    }
}

/// Asks by every kind of call; each has to bring the same to the backend.
async fn check(front: SocketAddr, expected: &str, looked: [&str; 2]) {
    let mut grpc = Grpc::new(channel(front).await);
    let texts = || request(tokio_stream::iter(["one".to_owned(), "two".to_owned()]));

    grpc.ready().await.expect("ready");
    let unary = grpc.unary(request(String::new()), method("Unary"), codec()).await.expect("an answer");
    assert_eq!(unary.into_inner(), expected);

    grpc.ready().await.expect("ready");
    let down = grpc.server_streaming(request(String::new()), method("Down"), codec()).await.expect("answers");
    let down: Vec<String> = down.into_inner().map(|text| text.expect("a text")).collect().await;
    assert_eq!(down, [expected, looked[0], looked[1]]);

    grpc.ready().await.expect("ready");
    let up = grpc.client_streaming(texts(), method("Up"), codec()).await.expect("an answer");
    assert_eq!(up.into_inner(), format!("one\n{expected}\n\ntwo\n{expected}"));

    grpc.ready().await.expect("ready");
    let both = grpc.streaming(texts(), method("Both"), codec()).await.expect("answers");
    let both: Vec<String> = both.into_inner().map(|text| text.expect("a text")).collect().await;
    assert_eq!(both, [format!("one\n{expected}"), format!("two\n{expected}")]);
}

#[tokio::test]
async fn the_attribute_forwards_by_every_kind_of_call() {
    let front = serve(Attributed(Backend::new().await));
    check(front, &as_channels_send(FORWARDED), LOOKED).await;
}

#[tokio::test]
async fn the_layer_forwards_by_every_kind_of_call() {
    let front = serve_covered(Plain(Backend::new().await));
    check(front, &as_channels_send(FORWARDED), LOOKED).await;
}

#[tokio::test]
async fn without_them_nothing_is_forwarded() {
    let front = serve(Plain(Backend::new().await));
    check(front, "user-agent: tonic/0.14.9", ["0 in scope", "0 in scope"]).await;
}

#[tokio::test]
async fn a_method_may_return_early() {
    let front = serve(Attributed(Backend::new().await));
    let mut grpc = Grpc::new(channel(front).await);
    grpc.ready().await.expect("ready");
    let refused = grpc.unary(request("refuse".to_owned()), method("Unary"), codec()).await;
    assert_eq!(
        refused.map(Response::into_inner).map_err(|status| status.message().to_owned()),
        Err("7 in scope".into())
    );
}

#[tokio::test]
async fn a_client_over_hyper_util_sends_the_user_agent_as_it_came() {
    let address = serve(Echo);
    let origin: Uri = format!("http://{address}").parse().expect("a URL");
    let client: Client<_, tonic::body::Body> =
        Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let mut grpc = Grpc::with_origin(Forward::to(origin.clone()).layer(client), origin);
    let headers = onward::get_forward_headers(&inbound());
    let call = grpc.unary(Request::new(String::new()), method("Unary"), codec());
    assert_eq!(onward::in_scope(headers, call).await.expect("an answer").into_inner(), FORWARDED);
}

#[tokio::test]
async fn binary_metadata_goes_on_as_the_text_that_came_and_means_the_same_bytes() {
    let backend = Backend::new().await;
    for text in ["AAAK92UZFs1D3Q==", "AAAK92UZFs1D3Q"] {
        let mut metadata = MetadataMap::new();
        metadata.as_mut().insert("grpc-trace-bin", text.parse().expect("a value"));
        let headers = onward::get_forward_headers(&metadata);
        let forward = backend.forward();
        for answer in [
            onward::in_scope(
                headers.clone(),
                call(InterceptedService::new(backend.channel.clone(), forward.clone())),
            )
            .await,
            onward::in_scope(headers, call(forward.layer(backend.channel.clone()))).await,
        ] {
            let answer = answer.expect("an answer");
            let decoded = Bytes::from_static(b"\x00\x00\x0a\xf7\x65\x19\x16\xcd\x43\xdd");
            assert_eq!(
                answer.metadata().get("x-decoded").map(|value| value.as_bytes().to_vec()),
                Some(format!("{decoded:?}").into())
            );
            let lines = answer.into_inner();
            assert!(lines.starts_with(&format!("grpc-trace-bin: {text}\nuser-agent: tonic/")), "{lines}");
        }
    }
}

#[tokio::test]
async fn a_client_that_calls_out_of_the_mesh_sends_trace_headers_only() {
    let backend = Backend::new().await;
    // The name that the call goes to counts, and not the address behind it.
    let forward = Forward::to(Uri::from_static("http://api.example.com:50051"));
    let headers = onward::get_forward_headers(&inbound());
    let expected = "\
grpc-trace-bin: AAAK92UZFs1D3Q==
traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
user-agent: tonic/0.14.9
x-request-id: 7f6c";
    let by_interceptor = call(InterceptedService::new(backend.channel.clone(), forward.clone()));
    assert_eq!(
        onward::in_scope(headers.clone(), by_interceptor).await.expect("an answer").into_inner(),
        expected
    );
    let by_layer = call(forward.layer(backend.channel.clone()));
    assert_eq!(onward::in_scope(headers, by_layer).await.expect("an answer").into_inner(), expected);
}

#[tokio::test]
async fn what_the_caller_has_set_wins_with_its_whole_family() {
    let backend = Backend::new().await;
    let mut grpc = Grpc::new(InterceptedService::new(backend.channel.clone(), backend.forward()));
    grpc.ready().await.expect("ready");
    let mut request = Request::new(String::new());
    request.metadata_mut().insert("tracestate", "mine=1".parse().expect("ASCII"));
    request.metadata_mut().insert("end-user", "mine".parse().expect("ASCII"));
    let call = grpc.unary(request, method("Unary"), codec());
    let answer = onward::in_scope(onward::get_forward_headers(&inbound()), call)
        .await
        .expect("an answer")
        .into_inner();
    let expected = as_captured(FORWARDED)
        .replace("end-user: jason", "end-user: mine")
        .replace("traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n", "");
    assert_eq!(answer, expected);
}

/// Looks at the scope while a client sends its stream.
struct Count;

#[tonic::async_trait]
impl Relay for Count {
    async fn unary(&self, _: Request<String>) -> Result<Response<String>, Status> {
        Err(Status::unimplemented("unary"))
    }

    async fn down(&self, _: Request<String>) -> Result<Response<Texts>, Status> {
        Err(Status::unimplemented("down"))
    }

    async fn up(&self, request: Request<Streaming<String>>) -> Result<Response<String>, Status> {
        let texts: Result<Vec<String>, Status> = request.into_inner().collect().await;
        texts.map(|texts| Response::new(texts.join(", ")))
    }

    async fn both(&self, _: Request<Streaming<String>>) -> Result<Response<Texts>, Status> {
        Err(Status::unimplemented("both"))
    }
}

#[tokio::test]
async fn a_clients_stream_is_polled_by_its_connection_and_needs_carry() {
    let channel = channel(serve(Count)).await;
    let handler = async {
        let mut grpc = Grpc::new(channel);
        grpc.ready().await.expect("ready");
        let texts = looks().map(|text| text.expect("a text"));
        grpc.client_streaming(Request::new(texts), method("Up"), codec())
            .await
            .expect("an answer")
            .into_inner()
    };
    let answer = onward::in_scope(onward::get_forward_headers(&inbound()), handler).await;
    assert_eq!(answer, LOOKED.join(", "));
}

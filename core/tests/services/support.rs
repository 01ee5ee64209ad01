//! A server that echoes, a client that asks, and what a handler does: it calls the echo.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Body, Incoming};
use hyper::service::{Service, service_fn};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use onward::Destination;

/// The inbound headers of every request.
pub(crate) const INBOUND: [(&str, &str); 8] = [
    ("x-request-id", "7f6c"),
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("grpc-trace-bin", "AAAK92UZFs1D3Q=="),
    ("cookie", "a=b"),
    ("authorization", "Bearer secret"),
    ("end-user", "jason"),
    ("user-agent", "curl/8"),
    ("x-unknown", "stays"),
];

/// What the echo answers where everything was forwarded.
pub(crate) const FORWARDED: &str = "\
authorization: Bearer secret
cookie: a=b
end-user: jason
grpc-trace-bin: AAAK92UZFs1D3Q==
traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
user-agent: curl/8
x-request-id: 7f6c";

/// The lines of [`INBOUND`]'s headers in a map, by name.
pub(crate) fn lines(headers: &HeaderMap) -> String {
    let mut lines: Vec<_> = headers
        .iter()
        .filter(|(name, _)| INBOUND.iter().any(|(inbound, _)| name == inbound))
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    lines.sort();
    lines.join("\n")
}

pub(crate) fn inbound() -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in INBOUND {
        headers.insert(name, value.parse().expect("a value"));
    }
    headers
}

/// Serves each connection by a copy of the service.
pub(crate) async fn serve<S, B>(service: S) -> SocketAddr
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

/// Answers with the headers that it was asked with.
pub(crate) async fn echo() -> SocketAddr {
    serve(service_fn(|request: Request<Incoming>| async move {
        Ok::<_, Infallible>(Response::new(lines(request.headers())))
    }))
    .await
}

async fn get(uri: Uri, headers: HeaderMap) -> String {
    let mut request = Request::get(uri).body(Empty::<Bytes>::new()).expect("a request");
    *request.headers_mut() = headers;
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await.expect("an answer");
    let body = response.into_body().collect().await.expect("a body");
    String::from_utf8(body.to_bytes().into()).expect("a text")
}

/// What a handler does: it calls the URL in its query.
pub(crate) async fn relay(query: Option<&str>) -> String {
    tokio::task::yield_now().await;
    let to: Uri = query.and_then(|query| query.strip_prefix("to=")).expect("a URL").parse().expect("a URL");
    let mut headers = HeaderMap::new();
    onward::inject_to(&Destination::from(&to), &mut headers);
    get(to, headers).await
}

/// Asks a service to call an echo, and gives what that was asked with.
pub(crate) async fn ask(service: SocketAddr, route: &str) -> String {
    let echo = echo().await;
    let uri = format!("http://{service}/{route}?to=http://{echo}/").parse().expect("a URL");
    get(uri, inbound()).await
}

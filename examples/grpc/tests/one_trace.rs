//! A request through both: the trace headers arrive at the far end.
#![allow(clippy::expect_used, reason = "helpers of tests, outside of any #[test] function")]

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request as HttpRequest, StatusCode};
use grpc_example::proto::ratings_server::Ratings;
use grpc_example::proto::{GetRequest, Stars};
use grpc_example::{ratings, reviews};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tonic::transport::Endpoint;
use tonic::{Request, Response, Status};

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// reviews, in front of ratings.
async fn serve_both(service: impl Ratings, forwarding: bool) -> SocketAddr {
    let ratings = serve(ratings::router(service)).await;
    let endpoint = Endpoint::from_shared(format!("http://{ratings}")).expect("a URL");
    serve(reviews::router(&endpoint, forwarding)).await
}

async fn get(url: String, headers: &[(&str, &str)]) -> (StatusCode, String) {
    let mut request = HttpRequest::get(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request.body(Body::empty()).expect("a request")).await.expect("an answer");
    let status = response.status();
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

/// ratings, and what it was asked with.
struct Watched(mpsc::UnboundedSender<HeaderMap>);

#[tonic::async_trait]
impl Ratings for Watched {
    async fn get(&self, request: Request<GetRequest>) -> Result<Response<Stars>, Status> {
        let _ = self.0.send(request.metadata().clone().into_headers());
        ratings::Service.get(request).await
    }
}

/// What a client sends.
const SENT: [(&str, &str); 5] = [
    ("x-request-id", "7f6c"),
    ("traceparent", TRACEPARENT),
    ("x-b3-traceid", "80f198ee56343ba864fe8b2a57d3eff7"),
    ("grpc-trace-bin", "AAAK92UZFs1D3Q=="),
    ("end-user", "jason"),
];

#[tokio::test]
async fn a_request_over_http_and_grpc_is_one_trace() {
    let (sender, mut seen) = mpsc::unbounded_channel();
    let reviews = serve_both(Watched(sender), true).await;
    let answer = get(format!("http://{reviews}/reviews/0"), &SENT).await;
    assert_eq!(answer, (StatusCode::OK, "[5,4]".to_owned()));
    let arrived = seen.recv().await.expect("a call");
    for (name, value) in SENT {
        assert_eq!(arrived[name], value);
    }

    // What did not come in does not go on.
    get(format!("http://{reviews}/reviews/0"), &[]).await;
    let arrived = seen.recv().await.expect("a call");
    for (name, _) in SENT {
        assert!(!arrived.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn with_the_demos_forwarding_off_nothing_reaches_ratings() {
    let (sender, mut seen) = mpsc::unbounded_channel();
    let reviews = serve_both(Watched(sender), false).await;
    let answer = get(format!("http://{reviews}/reviews/0"), &SENT).await;
    assert_eq!(answer, (StatusCode::OK, "[5,4]".to_owned()));
    let arrived = seen.recv().await.expect("a call");
    for (name, _) in SENT {
        assert!(!arrived.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn both_are_healthy_on_their_own() {
    let ratings = serve(ratings::router(ratings::Service)).await;
    assert_eq!(get(format!("http://{ratings}/health"), &[]).await.1, "ratings is healthy");
    let reviews = serve_both(ratings::Service, true).await;
    assert_eq!(get(format!("http://{reviews}/health"), &[]).await.1, "reviews is healthy");
}

#[tokio::test]
async fn an_unknown_book_is_a_bad_gateway() {
    let reviews = serve_both(ratings::Service, true).await;
    assert_eq!(get(format!("http://{reviews}/reviews/1"), &[]).await.0, StatusCode::BAD_GATEWAY);
}

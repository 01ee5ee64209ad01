//! Every client but the wrapped reqwest, against real servers on loopback and a destination outside the mesh.
//!
//! The outside destination is `api.example.com`, which each client is told to resolve to loopback: what counts is the
//! name that the request goes to, not the address behind it.
#![cfg(all(feature = "reqwest", feature = "hyper-util", feature = "ureq"))]
#![allow(clippy::expect_used, reason = "helpers of tests, outside of any #[test] function")]

mod loopback;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;

use axum::Router;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::routing::any;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioExecutor;
use loopback::{lines, serve};
use onward::ForwardHeaders;
use onward::tower::InjectLayer;
use tower::{ServiceBuilder, ServiceExt};
use tower_http::follow_redirect::{FollowRedirect, FollowRedirectLayer};

const INBOUND: &[(&str, &str)] = &[
    ("x-request-id", "7f6c"),
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("cookie", "a=b"),
    ("authorization", "Bearer secret"),
    ("jwt", "eyJ0"),
    ("baggage", "k=v"),
    ("end-user", "jason"),
    ("user-agent", "curl/8"),
    ("x-unknown", "stays"),
];

const IN_MESH: &str = "\
authorization: Bearer secret
baggage: k=v
cookie: a=b
end-user: jason
jwt: eyJ0
traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
user-agent: curl/8
x-request-id: 7f6c";

const OUTSIDE: &str = "\
traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
x-request-id: 7f6c";

type Call = fn(Request<()>) -> Pin<Box<dyn Future<Output = String> + Send>>;

/// By hyper-util's client as it is wrapped; it follows no redirects.
fn hyper_util_wrapped(request: Request<()>) -> Pin<Box<dyn Future<Output = String> + Send>> {
    let client = onward::hyper_util::client(hyper_client());
    Box::pin(async move {
        let request = request.map(|()| Empty::<Bytes>::new());
        let response = client.request(request).await.expect("an answer");
        text(response.into_body()).await
    })
}

/// The same as a tower service, with redirects.
fn hyper_util_following(request: Request<()>) -> Pin<Box<dyn Future<Output = String> + Send>> {
    let client = FollowRedirect::new(onward::hyper_util::client(hyper_client()));
    Box::pin(async move {
        let request = request.map(|()| Empty::<Bytes>::new());
        text(client.oneshot(request).await.expect("an answer").into_body()).await
    })
}

/// By the tower layer, around hyper-util's client.
fn tower_layer(request: Request<()>) -> Pin<Box<dyn Future<Output = String> + Send>> {
    let client = ServiceBuilder::new()
        .layer(FollowRedirectLayer::new())
        .layer(InjectLayer::new())
        .service(hyper_client());
    Box::pin(async move {
        let request = request.map(|()| Empty::<Bytes>::new());
        text(client.oneshot(request).await.expect("an answer").into_body()).await
    })
}

/// By the tower layer, around reqwest's client.
fn reqwest_as_tower_service(request: Request<()>) -> Pin<Box<dyn Future<Output = String> + Send>> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .resolve("api.example.com", SocketAddr::from(([127, 0, 0, 1], 0)))
        .build()
        .expect("a client");
    let client = ServiceBuilder::new()
        .layer(FollowRedirectLayer::new())
        .map_response(http::Response::<reqwest::Body>::from)
        .map_request(|request| reqwest::Request::try_from(request).expect("a request"))
        .layer(InjectLayer::new())
        .service(client);
    Box::pin(async move {
        let request = request.map(|()| reqwest::Body::default());
        let response = client.oneshot(request).await.expect("an answer");
        reqwest::Response::from(response).text().await.expect("a body")
    })
}

fn ureq_agent(request: Request<()>) -> Pin<Box<dyn Future<Output = String> + Send>> {
    let agent = onward::ureq::agent(|config| {
        let connector = ureq::unversioned::transport::DefaultConnector::default();
        ureq::Agent::with_parts(config.build(), connector, Loopback)
    });
    let call = move || agent.run(request).expect("an answer").into_body().read_to_string().expect("a body");
    let call = tokio::task::spawn_blocking(onward::carry_fn(call));
    Box::pin(async move { call.await.expect("the thread ends") })
}

/// Without a client of Onward's: a request is filled before any client sends it.
fn by_hand(mut request: Request<()>) -> Pin<Box<dyn Future<Output = String> + Send>> {
    onward::inject_into(&mut request);
    Box::pin(async move {
        let request = request.map(|()| Empty::<Bytes>::new());
        text(hyper_client().request(request).await.expect("an answer").into_body()).await
    })
}

const FOLLOWING: &[(&str, Call)] = &[
    ("hyper-util under FollowRedirect", hyper_util_following),
    ("the tower layer", tower_layer),
    ("reqwest under the tower layer", reqwest_as_tower_service),
    ("ureq", ureq_agent),
];

const STOPPING: &[(&str, Call)] = &[("hyper-util", hyper_util_wrapped), ("by hand", by_hand)];

fn all() -> impl Iterator<Item = &'static (&'static str, Call)> {
    FOLLOWING.iter().chain(STOPPING)
}

/// Every name is loopback.
#[derive(Debug)]
struct Loopback;

impl ureq::unversioned::resolver::Resolver for Loopback {
    fn resolve(
        &self,
        uri: &http::Uri,
        _: &ureq::config::Config,
        _: ureq::unversioned::transport::NextTimeout,
    ) -> Result<ureq::unversioned::resolver::ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        addresses.push(SocketAddr::from(([127, 0, 0, 1], uri.port_u16().unwrap_or(80))));
        Ok(addresses)
    }
}

type Resolver = tower::util::BoxCloneSyncService<Name, std::iter::Once<SocketAddr>, std::io::Error>;

fn hyper_client() -> Client<HttpConnector<Resolver>, Empty<Bytes>> {
    let loopback = tower::service_fn(|_: Name| async {
        Ok::<_, std::io::Error>(std::iter::once(SocketAddr::from(([127, 0, 0, 1], 0))))
    });
    let connector = HttpConnector::new_with_resolver(Resolver::new(loopback));
    Client::builder(TokioExecutor::new()).build(connector)
}

async fn text<B: http_body::Body<Error: std::fmt::Debug>>(body: B) -> String {
    let bytes = body.collect().await.expect("a body").to_bytes();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Answers with the headers that it was asked with, one a line, without those every request has.
async fn echo() -> SocketAddr {
    serve(Router::new().fallback(any(|headers: HeaderMap| async move {
        let mut lines = lines(&headers);
        lines.retain(|line| !line.starts_with("user-agent: ureq/"));
        lines.join("\n")
    })))
    .await
}

/// Sends every caller elsewhere.
async fn redirector(to: String) -> SocketAddr {
    let away = move || {
        let to = to.clone();
        async move { (StatusCode::FOUND, [(header::LOCATION, to)]) }
    };
    serve(Router::new().fallback(any(away))).await
}

fn captured() -> ForwardHeaders {
    onward::get_forward_headers(INBOUND)
}

async fn ask(call: Call, url: &str) -> String {
    let request = Request::get(url).body(()).expect("a request");
    send(call, request).await
}

async fn send(call: Call, request: Request<()>) -> String {
    onward::in_scope(captured(), async move { call(request).await }).await
}

fn outside(echo: SocketAddr) -> String {
    format!("http://api.example.com:{}/", echo.port())
}

#[tokio::test]
async fn everything_goes_into_the_mesh_and_trace_headers_outside() {
    let echo = echo().await;
    for (name, call) in all() {
        assert_eq!(ask(*call, &format!("http://{echo}/")).await, IN_MESH, "{name}");
        assert_eq!(ask(*call, &outside(echo)).await, OUTSIDE, "{name}");
    }
}

/// Negative control.
#[tokio::test]
async fn without_a_scope_nothing_is_forwarded() {
    let echo = echo().await;
    for (name, call) in all() {
        let request = Request::get(format!("http://{echo}/")).body(()).expect("a request");
        assert_eq!(call(request).await, "", "{name}");
    }
}

#[tokio::test]
async fn what_the_caller_has_set_wins_with_its_whole_family() {
    let echo = echo().await;
    let expected = IN_MESH.replace("cookie: a=b", "cookie: mine=2").replace(
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "tracestate: mine=1",
    );
    for (name, call) in all() {
        let request = Request::get(format!("http://{echo}/"));
        let request = request.header("tracestate", "mine=1").header("cookie", "mine=2");
        assert_eq!(send(*call, request.body(()).expect("a request")).await, expected, "{name}");
    }
}

#[tokio::test]
async fn a_redirect_out_of_the_mesh_takes_only_trace_headers_along() {
    let echo = echo().await;
    let away = redirector(outside(echo)).await;
    for (name, call) in FOLLOWING {
        assert_eq!(ask(*call, &format!("http://{away}/")).await, OUTSIDE, "{name}");
    }
    for (name, call) in STOPPING {
        assert_eq!(ask(*call, &format!("http://{away}/")).await, "", "{name}");
    }
}

/// Negative control: the same middleware below redirects that ureq follows by itself.
#[tokio::test]
async fn redirects_that_ureq_follows_by_itself_are_seen_to_take_headers_out_of_the_mesh() {
    let echo = echo().await;
    let away = redirector(outside(echo)).await;
    let answer = tokio::task::spawn_blocking(move || {
        let _scope = onward::enter(captured());
        let forward = |mut request: Request<ureq::SendBody>, next: ureq::middleware::MiddlewareNext| {
            onward::inject_into(&mut request);
            next.handle(request)
        };
        let config = ureq::config::Config::builder().middleware(forward).build();
        let connector = ureq::unversioned::transport::DefaultConnector::default();
        let agent = ureq::Agent::with_parts(config, connector, Loopback);
        let response = agent.get(format!("http://{away}/")).call().expect("an answer");
        response.into_body().read_to_string().expect("a body")
    });
    let answer = answer.await.expect("the thread ends");
    assert!(answer.contains("jwt: eyJ0") && answer.contains("baggage: k=v"), "{answer}");
}

#[tokio::test]
async fn a_redirect_within_the_mesh_takes_everything_along() {
    let echo = echo().await;
    let away = redirector(format!("http://{echo}/")).await;
    for (name, call) in FOLLOWING {
        assert_eq!(ask(*call, &format!("http://{away}/")).await, IN_MESH, "{name}");
    }
}

#[tokio::test]
async fn a_redirect_back_into_the_mesh_takes_everything_along_again() {
    let echo = echo().await;
    let back = redirector(format!("http://{echo}/")).await;
    let away = redirector(outside(back)).await;
    for (name, call) in FOLLOWING {
        assert_eq!(ask(*call, &format!("http://{away}/")).await, IN_MESH, "{name}");
    }
}

#[tokio::test]
async fn a_signed_request_stays_as_it_is() {
    let echo = echo().await;
    for (name, call) in all() {
        let signed = format!("http://{echo}/?X-Amz-Signature=0123");
        assert_eq!(ask(*call, &signed).await, "", "{name}");
        let request = Request::get(format!("http://{echo}/")).header("authorization", "AWS4-HMAC-SHA256 x");
        let request = request.body(()).expect("a request");
        assert_eq!(send(*call, request).await, "authorization: AWS4-HMAC-SHA256 x", "{name}");
    }
}

#[tokio::test]
async fn ureq_drops_the_callers_authorization_at_a_redirect_and_ends_after_as_many_as_it_was_told() {
    let echo = echo().await;
    let away = redirector(format!("http://{echo}/")).await;
    let request = Request::get(format!("http://{away}/")).header("authorization", "Bearer mine");
    // Not under a scope: what is left is what the caller has set.
    assert_eq!(ureq_agent(request.body(()).expect("a request")).await, "");

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let circle = listener.local_addr().expect("an address");
    let to = move || async move { (StatusCode::FOUND, [(header::LOCATION, format!("http://{circle}/"))]) };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(any(to))).await });
    let result = tokio::task::spawn_blocking(move || {
        onward::ureq::agent(|config| config.max_redirects(3).build().into())
            .get(format!("http://{circle}/"))
            .call()
            .map(|response| response.status())
    });
    let result = result.await.expect("the thread ends");
    assert!(matches!(result, Err(ureq::Error::TooManyRedirects)), "{result:?}");
}

#[tokio::test]
async fn ureq_sends_a_body_once_and_a_redirect_to_get_without_it() {
    let echo = serve(
        Router::new()
            .fallback(any(|method: http::Method, body: String| async move { format!("{method} {body}") })),
    )
    .await;
    let away = redirector(format!("http://{echo}/")).await;
    let answers = tokio::task::spawn_blocking(move || {
        let agent = onward::ureq::agent(|config| config.build().into());
        [echo, away].map(|to| {
            let response = agent.post(format!("http://{to}/")).send("body").expect("an answer");
            response.into_body().read_to_string().expect("a body")
        })
    });
    assert_eq!(answers.await.expect("the thread ends"), ["POST body", "GET "]);
}

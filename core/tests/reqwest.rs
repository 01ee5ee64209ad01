//! axum in front, reqwest behind: real servers on loopback, and a destination outside the mesh.
//!
//! The outside destination is `api.example.com`, which the client is told to resolve to loopback: what counts is the
//! name that the request goes to, not the address behind it.
#![cfg(all(feature = "axum", feature = "reqwest", feature = "macros"))]
#![allow(clippy::expect_used, reason = "helpers of tests, outside of any #[test] function")]

mod loopback;

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::{get, post};
use loopback::{lines, serve};
use onward::reqwest::RequestBuilderExt;

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Answers with the headers that it was asked with, one a line, without those every request has.
async fn echo() -> SocketAddr {
    serve(Router::new().route("/echo", get(|headers: HeaderMap| async move { lines(&headers).join("\n") })))
        .await
}

/// Sends every caller elsewhere.
async fn redirector(to: String) -> SocketAddr {
    serve(Router::new().route("/away", get(|| async move { (StatusCode::FOUND, [(header::LOCATION, to)]) })))
        .await
}

#[derive(Clone)]
struct App {
    wrapped: reqwest_middleware::ClientWithMiddleware,
    plain: reqwest::Client,
}

#[onward::propagate]
async fn by_wrapped_client(State(app): State<App>, Query(to): Query<Vec<(String, String)>>) -> String {
    let response = app.wrapped.get(&to[0].1).send().await.expect("an answer");
    let path = response.url().path().to_owned();
    format!("{path}\n{}", response.text().await.expect("a body"))
}

#[onward::propagate]
async fn by_caller_who_wins(State(app): State<App>, Query(to): Query<Vec<(String, String)>>) -> String {
    let request = app.wrapped.get(&to[0].1).header("tracestate", "mine=1").header("Cookie", "mine=2");
    request.send().await.expect("an answer").text().await.expect("a body")
}

#[onward::propagate]
async fn by_extension(State(app): State<App>, Query(to): Query<Vec<(String, String)>>) -> String {
    let response = app.plain.get(&to[0].1).forward_headers().send().await.expect("an answer");
    let status = response.status();
    format!("{status}\n{}", response.text().await.expect("a body"))
}

/// The same call without the attribute: there is no scope, so nothing is forwarded (rule R7).
async fn without_attribute(State(app): State<App>, Query(to): Query<Vec<(String, String)>>) -> String {
    app.wrapped.get(&to[0].1).send().await.expect("an answer").text().await.expect("a body")
}

async fn front(outside: SocketAddr) -> SocketAddr {
    let builder = || reqwest::Client::builder().resolve("api.example.com", outside);
    let app = App {
        wrapped: onward::reqwest::client(builder()).expect("a client"),
        plain: builder().redirect(onward::reqwest::redirect_policy()).build().expect("a client"),
    };
    let routes = Router::new()
        .route("/wrapped", get(by_wrapped_client))
        .route("/caller", get(by_caller_who_wins))
        .route("/extension", get(by_extension))
        .route("/without", get(without_attribute));
    serve(routes.with_state(app)).await
}

async fn ask(front: SocketAddr, route: &str, to: &str) -> String {
    let url =
        reqwest::Url::parse_with_params(&format!("http://{front}/{route}"), [("to", to)]).expect("a URL");
    let request = reqwest::Client::new()
        .get(url)
        .header("x-request-id", "7f6c")
        .header("traceparent", TRACEPARENT)
        .header("cookie", "a=b")
        .header("authorization", "Bearer secret")
        .header("jwt", "eyJ0")
        .header("baggage", "k=v")
        .header("end-user", "jason")
        .header("user-agent", "curl/8")
        .header("x-unknown", "stays");
    request.send().await.expect("an answer").text().await.expect("a body")
}

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

#[tokio::test]
async fn a_wrapped_client_sends_everything_into_the_mesh_and_trace_headers_outside() {
    let echo = echo().await;
    let front = front(echo).await;
    assert_eq!(ask(front, "wrapped", &format!("http://{echo}/echo")).await, format!("/echo\n{IN_MESH}"));
    let outside = format!("http://api.example.com:{}/echo", echo.port());
    assert_eq!(ask(front, "wrapped", &outside).await, format!("/echo\n{OUTSIDE}"));
}

#[tokio::test]
async fn without_the_attribute_nothing_is_forwarded() {
    let echo = echo().await;
    assert_eq!(ask(front(echo).await, "without", &format!("http://{echo}/echo")).await, "");
}

#[tokio::test]
async fn what_the_caller_has_set_wins_with_its_whole_family() {
    let echo = echo().await;
    let expected = IN_MESH
        .replace("cookie: a=b", "cookie: mine=2")
        .replace(&format!("traceparent: {TRACEPARENT}"), "tracestate: mine=1");
    assert_eq!(ask(front(echo).await, "caller", &format!("http://{echo}/echo")).await, expected);
}

#[tokio::test]
async fn a_redirect_out_of_the_mesh_takes_only_trace_headers_along() {
    let echo = echo().await;
    let away = redirector(format!("http://api.example.com:{}/echo", echo.port())).await;
    let answer = ask(front(echo).await, "wrapped", &format!("http://{away}/away")).await;
    assert_eq!(answer, format!("/echo\n{OUTSIDE}"));
}

#[tokio::test]
async fn a_credential_of_the_caller_that_a_redirect_takes_off_is_not_replaced() {
    let echo = echo().await;
    // Another port is another origin: the caller's own cookie stays behind, and the inbound one does not step in.
    let away = redirector(format!("http://{echo}/echo")).await;
    let answer = ask(front(echo).await, "caller", &format!("http://{away}/away")).await;
    let expected = IN_MESH
        .replace("cookie: a=b\n", "")
        .replace(&format!("traceparent: {TRACEPARENT}"), "tracestate: mine=1");
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn a_redirect_within_the_mesh_takes_everything_along() {
    let echo = echo().await;
    let away = redirector(format!("http://{echo}/echo")).await;
    let answer = ask(front(echo).await, "wrapped", &format!("http://{away}/away")).await;
    assert_eq!(answer, format!("/echo\n{IN_MESH}"));
}

#[tokio::test]
async fn a_location_that_is_no_redirect_is_not_followed() {
    let created = (StatusCode::CREATED, [(header::LOCATION, "/echo")], "made");
    let to = serve(Router::new().route("/away", get(|| async move { created }))).await;
    assert_eq!(ask(front(to).await, "wrapped", &format!("http://{to}/away")).await, "/away\nmade");
}

/// Answers a POST with what it was sent, after a redirect that keeps method and body.
async fn moved() -> SocketAddr {
    let away = || async { (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "/echo")]) };
    let echo = |body: String| async { body };
    serve(Router::new().route("/away", post(away)).route("/echo", post(echo))).await
}

#[tokio::test]
async fn a_body_goes_along_with_a_redirect_that_keeps_it_and_a_streamed_one_ends_there() {
    let url = format!("http://{}/away", moved().await);
    let client = onward::reqwest::client(reqwest::Client::builder()).expect("a client");
    let whole = client.post(&url).body("body").send().await.expect("an answer");
    assert_eq!((whole.status(), whole.url().path()), (StatusCode::OK, "/echo"));
    assert_eq!(whole.text().await.expect("a body"), "body");
    let stream = reqwest::Body::wrap(http_body_util::Full::new(bytes::Bytes::from("body")));
    let streamed = client.post(&url).body(stream).send().await.expect("an answer");
    assert_eq!((streamed.status(), streamed.url().path()), (StatusCode::TEMPORARY_REDIRECT, "/away"));
}

#[tokio::test]
async fn a_single_request_forwards_too_and_its_redirect_stops_at_the_mesh() {
    let echo = echo().await;
    let front = front(echo).await;
    let inside = format!("http://{echo}/echo");
    assert_eq!(ask(front, "extension", &inside).await, format!("200 OK\n{IN_MESH}"));
    let outside = format!("http://api.example.com:{}/echo", echo.port());
    assert_eq!(ask(front, "extension", &outside).await, format!("200 OK\n{OUTSIDE}"));
    let away = redirector(outside).await;
    assert_eq!(ask(front, "extension", &format!("http://{away}/away")).await, "302 Found\n");
}

#[tokio::test]
async fn a_signed_request_stays_as_it_is() {
    let echo = echo().await;
    let signed = format!("http://{echo}/echo?X-Amz-Signature=0123");
    assert_eq!(ask(front(echo).await, "wrapped", &signed).await, "/echo\n");
}

//! `#[propagate]` on the kinds of functions that it supports.
#![cfg(feature = "macros")]
#![expect(clippy::expect_used, reason = "a test's static")]
#![expect(clippy::needless_pass_by_value, reason = "handlers take their requests by value")]

use http::request::Parts;
use http::{HeaderMap, Request};
use onward::propagate;

fn inbound(id: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("x-request-id", http::HeaderValue::from_static(id));
    headers.insert("cookie", http::HeaderValue::from_static("a=b"));
    headers.insert("x-tenant-id", http::HeaderValue::from_static("blue"));
    headers
}

fn current_names() -> Vec<String> {
    onward::current().iter().map(|(name, _)| name.to_owned()).collect()
}

#[propagate]
fn sync_by_value(headers: HeaderMap) -> (usize, Vec<String>) {
    (headers.len(), current_names())
}

#[propagate]
async fn async_by_reference(headers: &HeaderMap, id: u32) -> (u32, Vec<String>) {
    tokio::task::yield_now().await;
    assert_eq!(headers.len(), 3);
    (id, current_names())
}

#[propagate]
async fn by_request<B>(request: Request<B>) -> (B, Vec<String>) {
    tokio::task::yield_now().await;
    (request.into_body(), current_names())
}

#[propagate]
async fn by_pattern(Parts { headers, .. }: Parts) -> (usize, Vec<String>) {
    tokio::task::yield_now().await;
    (headers.len(), current_names())
}

#[propagate]
async fn by_ignored_argument(_: HeaderMap) -> Vec<String> {
    tokio::task::yield_now().await;
    current_names()
}

#[propagate(from = message.1)]
fn by_expression(message: (u32, Vec<(String, Vec<u8>)>)) -> Vec<String> {
    let _ = message.0;
    current_names()
}

struct Service {
    inbound: HeaderMap,
}

impl Service {
    #[propagate(from = self.inbound)]
    async fn by_field(&self) -> Vec<String> {
        tokio::task::yield_now().await;
        current_names()
    }

    #[propagate(except = "cookie")]
    fn without_cookies(&self, headers: &HeaderMap) -> Vec<String> {
        let _ = (self, headers);
        current_names()
    }
}

#[propagate(preset = "w3c", preset = "xray", add = "x-tenant-id", add = "x-canary-*")]
fn by_own_policy(headers: &HeaderMap) -> Vec<String> {
    let _ = headers;
    current_names()
}

static SESSION: std::sync::LazyLock<onward::Propagator> =
    std::sync::LazyLock::new(|| onward::Propagator::builder().preset("session").build().expect("a preset"));

#[propagate(propagator = *SESSION)]
fn by_own_propagator(headers: &HeaderMap) -> Vec<String> {
    let _ = headers;
    current_names()
}

#[propagate]
async fn early_return(headers: HeaderMap) -> Result<Vec<String>, String> {
    if headers.is_empty() {
        return Err("empty".into());
    }
    let number: u32 = "1".parse().map_err(|_| "no number")?;
    assert_eq!(number, 1);
    Ok(current_names())
}

#[propagate]
fn impl_future(headers: &HeaderMap, early: bool) -> impl Future<Output = Vec<String>> + use<> {
    let _ = headers;
    let while_it_is_made = current_names();
    if early {
        return later(while_it_is_made);
    }
    later(while_it_is_made)
}

async fn later(mut names: Vec<String>) -> Vec<String> {
    tokio::task::yield_now().await;
    names.extend(current_names());
    names
}

#[async_trait::async_trait]
trait Handler {
    async fn handle(&self, request: Request<&str>) -> Result<Vec<String>, String>;
}

#[async_trait::async_trait]
impl Handler for Service {
    #[propagate]
    async fn handle(&self, request: Request<&str>) -> Result<Vec<String>, String> {
        tokio::task::yield_now().await;
        if request.body().is_empty() {
            return Err("empty".into());
        }
        Ok(current_names())
    }
}

mod renamed {
    pub(super) use onward as forwarding;
}

#[onward::propagate(crate = renamed::forwarding)]
fn by_another_path(headers: HeaderMap) -> Vec<String> {
    let _ = headers;
    current_names()
}

#[test]
fn a_sync_function_has_its_requests_headers_and_leaves_none_behind() {
    assert_eq!(sync_by_value(inbound("a")), (3, vec!["x-request-id".to_owned(), "cookie".to_owned()]));
    assert!(onward::current().is_empty());
}

#[tokio::test]
async fn async_functions_have_them_behind_an_await() {
    let expected = vec!["x-request-id".to_owned(), "cookie".to_owned()];
    assert_eq!(async_by_reference(&inbound("a"), 7).await, (7, expected.clone()));
    let mut request = Request::new("body");
    *request.headers_mut() = inbound("a");
    let (parts, ()) = {
        let mut parts = Request::new(()).into_parts();
        parts.0.headers = inbound("a");
        parts
    };
    assert_eq!(by_request(request).await, ("body", expected.clone()));
    assert_eq!(by_pattern(parts).await, (3, expected.clone()));
    assert_eq!(by_ignored_argument(inbound("a")).await, expected);
    assert_eq!(Service { inbound: inbound("a") }.by_field().await, expected);
    assert_eq!(early_return(inbound("a")).await, Ok(expected));
    assert_eq!(early_return(HeaderMap::new()).await, Err("empty".to_owned()));
    assert!(onward::current().is_empty());
}

#[tokio::test]
async fn a_function_that_gives_back_a_future_has_them_while_it_makes_it_and_while_that_runs() {
    let expected = ["x-request-id", "cookie", "x-request-id", "cookie"];
    assert_eq!(impl_future(&inbound("a"), false).await, expected);
    let future = impl_future(&inbound("a"), true);
    assert!(onward::current().is_empty());
    assert_eq!(future.await, expected);
}

#[tokio::test]
async fn a_method_under_async_trait_has_them_behind_an_await() {
    let service = Service { inbound: HeaderMap::new() };
    let request = |body| {
        let mut request = Request::new(body);
        *request.headers_mut() = inbound("a");
        request
    };
    assert_eq!(
        service.handle(request("body")).await,
        Ok(vec!["x-request-id".to_owned(), "cookie".to_owned()])
    );
    assert_eq!(service.handle(request("")).await, Err("empty".to_owned()));
}

#[test]
fn the_headers_may_come_from_any_expression() {
    let message = (1, vec![("X-Request-Id".to_owned(), b"m".to_vec()), ("other".to_owned(), b"x".to_vec())]);
    assert_eq!(by_expression(message), ["x-request-id"]);
}

#[test]
fn a_handler_may_have_a_policy_of_its_own() {
    let service = Service { inbound: HeaderMap::new() };
    assert_eq!(service.without_cookies(&inbound("a")), ["x-request-id"]);
    assert_eq!(by_own_policy(&inbound("a")), ["x-request-id", "x-tenant-id"]);
    assert_eq!(by_own_propagator(&inbound("a")), ["x-request-id", "cookie"]);
    assert_eq!(by_another_path(inbound("a")), ["x-request-id", "cookie"]);
}

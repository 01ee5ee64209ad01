//! One layer over a whole axum router.

use std::convert::Infallible;

use axum::Router;
use axum::extract::RawQuery;
use axum::routing::get;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use hyper_util::service::TowerToHyperService;
use onward::Propagator;
use onward::tower::{Forward, ForwardLayer};
use tower::{Layer, Service, ServiceExt};

use crate::support::{FORWARDED, ask, inbound, relay, serve};

async fn reviews(RawQuery(query): RawQuery) -> String {
    relay(query.as_deref()).await
}

fn router() -> Router {
    Router::new().route("/covered", get(reviews)).layer(ForwardLayer::new()).route("/bare", get(reviews))
}

#[tokio::test]
async fn a_layer_covers_a_whole_router() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router()).await });
    assert_eq!(ask(address, "covered").await, FORWARDED);
    assert_eq!(ask(address, "bare").await, "");
}

#[tokio::test]
async fn it_covers_a_router_that_hyper_util_serves() {
    let bare = Router::new().route("/covered", get(reviews));
    let covered = ForwardLayer::new().layer(bare.clone());
    assert_eq!(ask(serve(TowerToHyperService::new(covered)).await, "covered").await, FORWARDED);
    assert_eq!(ask(serve(TowerToHyperService::new(bare)).await, "covered").await, "");
}

fn names() -> Vec<String> {
    onward::current().iter().map(|(name, _)| name.to_owned()).collect()
}

fn request() -> Request<()> {
    let mut request = Request::new(());
    *request.headers_mut() = inbound();
    request
}

#[tokio::test]
async fn a_service_may_work_while_it_makes_its_future() {
    let mut service = Forward::new(tower::service_fn(|_: Request<()>| {
        let made = names().len();
        async move { Ok::<_, Infallible>(Response::new((made, names().len()))) }
    }));
    let future = service.ready().await.expect("ready").call(request());
    assert_eq!(names(), [""; 0]);
    assert_eq!(future.await.map(Response::into_body), Ok((7, 7)));
}

#[tokio::test]
async fn a_layer_may_have_a_policy_of_its_own() {
    let propagator = Propagator::builder().preset("w3c").add("x-unknown").build().expect("a policy");
    let service = ForwardLayer::with_propagator(propagator)
        .layer(tower::service_fn(|_: Request<()>| async { Ok::<_, Infallible>(names()) }));
    let expected = ["x-request-id", "traceparent", "x-unknown"].map(str::to_owned);
    assert_eq!(service.oneshot(request()).await, Ok(expected.to_vec()));
}

#[tokio::test]
async fn a_future_that_is_dropped_half_way_leaves_nothing_behind() {
    let service = Forward::new(tower::service_fn(|_: Request<()>| async {
        std::future::pending::<()>().await;
        Ok::<_, Infallible>(())
    }));
    let mut future = Box::pin(service.oneshot(request()));
    tokio::select! {
        biased;
        _ = &mut future => panic!("it never ends"),
        () = tokio::task::yield_now() => {}
    }
    drop(future);
    assert_eq!(names(), [""; 0]);
}

/// What 500 requests on one connection find in scope, again and again while they are interleaved.
async fn interleaved<S>(service: S) -> Vec<(String, String)>
where
    S: hyper::service::Service<Request<Incoming>, Response = Response<String>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    let address = serve(service).await;
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Empty<Bytes>>();
    let mut requests = tokio::task::JoinSet::new();
    for number in 0..500 {
        let client = client.clone();
        requests.spawn(async move {
            let id = format!("request-{number}");
            let request = Request::get(format!("http://{address}/")).header("x-request-id", &id);
            let request = request.body(Empty::new()).expect("a request");
            let body = client.request(request).await.expect("an answer").into_body().collect().await;
            let seen = String::from_utf8(body.expect("a body").to_bytes().into()).expect("a text");
            (id, seen)
        });
    }
    requests.join_all().await
}

/// Looks at the scope at eight steps, and says what it always was.
async fn look(_: Request<Incoming>) -> Result<Response<String>, Infallible> {
    let mut seen = Vec::new();
    for _ in 0..8 {
        let id = onward::current().get("x-request-id").unwrap_or(b"nothing").to_vec();
        seen.push(String::from_utf8(id).expect("a text"));
        tokio::task::yield_now().await;
    }
    seen.dedup();
    Ok(Response::new(seen.join(", ")))
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_share_a_connection_have_headers_of_their_own() {
    let covered = TowerToHyperService::new(Forward::new(tower::service_fn(look)));
    let answers = interleaved(covered).await;
    assert_eq!(answers.len(), 500);
    for (id, seen) in answers {
        assert_eq!(seen, id);
    }
    let bare = TowerToHyperService::new(tower::service_fn(look));
    assert!(interleaved(bare).await.iter().all(|(_, seen)| seen == "nothing"));
}

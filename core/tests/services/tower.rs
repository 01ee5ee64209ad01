//! One layer over a whole axum router.

use std::convert::Infallible;

use axum::Router;
use axum::extract::RawQuery;
use axum::routing::get;
use http::{Request, Response};
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

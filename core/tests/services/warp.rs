//! warp's filters.

use std::convert::Infallible;

use hyper_util::service::TowerToHyperService;
use onward::warp::Forward;
use warp::Filter;
use warp::http::HeaderMap;

use crate::support::{FORWARDED, ask, relay, serve};

#[onward::propagate]
async fn attribute(headers: HeaderMap, query: String) -> Result<String, Infallible> {
    let _ = headers;
    Ok(relay(Some(&query)).await)
}

async fn plain(query: String) -> Result<String, Infallible> {
    Ok(relay(Some(&query)).await)
}

fn reviews() -> impl Filter<Extract = (String,), Error = warp::Rejection> + Clone + Send {
    warp::query::raw().and_then(plain)
}

#[tokio::test]
async fn the_attribute_finds_the_headers_that_a_filter_gives() {
    let route = warp::path!("attribute")
        .and(warp::header::headers_cloned())
        .and(warp::query::raw())
        .and_then(attribute)
        .or(warp::path!("bare").and(reviews()));
    let (sender, receiver) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let _ = sender.send(listener.local_addr().expect("an address"));
        warp::serve(route).incoming(listener).run().await;
    });
    let address = receiver.await.expect("an address");
    assert_eq!(ask(address, "attribute").await, FORWARDED);
    assert_eq!(ask(address, "bare").await, "");
}

#[tokio::test]
async fn a_wrapper_covers_all_routes() {
    let routes = warp::path!("covered").and(reviews());
    let covered = TowerToHyperService::new(Forward::new(warp::service(routes.clone())));
    assert_eq!(ask(serve(covered).await, "covered").await, FORWARDED);
    let bare = TowerToHyperService::new(warp::service(routes));
    assert_eq!(ask(serve(bare).await, "covered").await, "");
}

#[tokio::test]
async fn a_filter_that_is_no_future_is_in_scope_too() {
    let counted = warp::path!("counted").map(|| onward::current().len().to_string());
    let covered = TowerToHyperService::new(Forward::new(warp::service(counted)));
    assert_eq!(ask(serve(covered).await, "counted").await, "7");
}

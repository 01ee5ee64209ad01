//! hyper without a framework.

use std::convert::Infallible;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::service::TowerToHyperService;
use onward::hyper::Forward;

use crate::support::{FORWARDED, ask, relay, serve};

#[onward::propagate]
async fn attribute(request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    Ok(Response::new(relay(request.uri().query()).await))
}

async fn plain(request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    Ok(Response::new(relay(request.uri().query()).await))
}

#[tokio::test]
async fn the_attribute_finds_the_headers_of_a_handler() {
    assert_eq!(ask(serve(service_fn(attribute)).await, "attribute").await, FORWARDED);
    assert_eq!(ask(serve(service_fn(plain)).await, "bare").await, "");
}

#[tokio::test]
async fn a_wrapper_covers_hypers_services() {
    let service = Forward::new(service_fn(plain));
    assert_eq!(ask(serve(service).await, "covered").await, FORWARDED);
}

#[tokio::test]
async fn a_wrapper_covers_a_tower_service_inside_and_outside_of_hyper_utils_adapter() {
    let inside = TowerToHyperService::new(Forward::new(tower::service_fn(plain)));
    assert_eq!(ask(serve(inside).await, "covered").await, FORWARDED);
    let outside = Forward::new(TowerToHyperService::new(tower::service_fn(plain)));
    assert_eq!(ask(serve(outside).await, "covered").await, FORWARDED);
}

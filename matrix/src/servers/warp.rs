//! warp.

use std::convert::Infallible;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Request};
use hyper::body::Incoming;
use hyper_util::service::TowerToHyperService;
use onward::warp::Forward;
use tower::{ServiceExt, service_fn};
use warp::Filter;

use super::serving::serve;
use crate::call::{Call, answer, answer_with};
use crate::running::Running;

/// A type of its own: the compiler cannot see through the trait object's lifetime in warp's filters.
#[derive(Clone)]
struct App(Arc<dyn Call>);

#[onward::propagate]
async fn attribute(app: App, headers: HeaderMap, query: String) -> Result<String, Infallible> {
    let _ = headers;
    plain(app, query).await
}

async fn plain(app: App, query: String) -> Result<String, Infallible> {
    Ok(answer(&*app.0, &query).await)
}

async fn headers(app: App, headers: HeaderMap, query: String) -> Result<String, Infallible> {
    let lookup = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    Ok(answer_with(&*app.0, &query, &lookup).await)
}

pub(super) async fn start(call: Arc<dyn Call>) -> Result<Running, String> {
    let app = App(call);
    let app = warp::any().map(move || app.clone());
    let all = app.clone().and(warp::header::headers_cloned()).and(warp::query::raw());
    let attribute = warp::path!("attribute").and(all.clone()).and_then(attribute);
    let headers = warp::path!("headers").and(all).and_then(headers);
    let plain = app.and(warp::query::raw()).and_then(plain);
    let covered = Forward::new(warp::service(warp::path!("middleware").and(plain.clone())));
    let bare = warp::service(attribute.or(warp::path!("bare").and(plain)).or(headers));
    serve(TowerToHyperService::new(service_fn(move |request: Request<Incoming>| {
        let (covered, bare) = (covered.clone(), bare.clone());
        async move {
            match request.uri().path() {
                "/middleware" => covered.oneshot(request).await,
                _ => bare.oneshot(request).await,
            }
        }
    })))
    .await
}

//! hyper without a framework.

use std::convert::Infallible;
use std::sync::Arc;

use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use onward::hyper::Forward;

use super::serving::serve;
use crate::call::{Call, answer, answer_with};
use crate::running::Running;

type App = Arc<dyn Call>;
type Answered = Result<Response<String>, Infallible>;

#[onward::propagate]
async fn attribute(call: App, request: Request<Incoming>) -> Answered {
    plain(call, request).await
}

async fn plain(call: App, request: Request<Incoming>) -> Answered {
    Ok(Response::new(answer(&*call, request.uri().query().unwrap_or_default()).await))
}

async fn headers(call: App, request: Request<Incoming>) -> Answered {
    let lookup = |name: &str| request.headers().get(name).map(HeaderValue::as_bytes);
    let query = request.uri().query().unwrap_or_default();
    Ok(Response::new(answer_with(&*call, query, &lookup).await))
}

pub(super) async fn start(call: App) -> Result<Running, String> {
    let inner = call.clone();
    let covered = Arc::new(Forward::new(service_fn(move |request| plain(inner.clone(), request))));
    serve(service_fn(move |request: Request<Incoming>| {
        let (call, covered) = (call.clone(), covered.clone());
        async move {
            match request.uri().path() {
                "/attribute" => attribute(call, request).await,
                "/middleware" => covered.call(request).await,
                "/headers" => headers(call, request).await,
                _ => plain(call, request).await,
            }
        }
    }))
    .await
}

//! A tower service that hyper-util serves.

use std::convert::Infallible;
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::service::TowerToHyperService;
use onward::tower::ForwardLayer;
use tower::{Layer, ServiceExt, service_fn};

use super::serving::serve;
use crate::call::{Call, answer};
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

pub(super) async fn start(call: App) -> Result<Running, String> {
    let inner = call.clone();
    let covered = ForwardLayer::new().layer(service_fn(move |request| plain(inner.clone(), request)));
    serve(TowerToHyperService::new(service_fn(move |request: Request<Incoming>| {
        let (call, covered) = (call.clone(), covered.clone());
        async move {
            match request.uri().path() {
                "/attribute" => attribute(call, request).await,
                "/middleware" => covered.oneshot(request).await,
                _ => plain(call, request).await,
            }
        }
    })))
    .await
}

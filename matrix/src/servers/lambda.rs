//! `lambda_http`: its handlers, given requests as its runtime makes them of events.
//!
//! The runtime itself speaks to AWS only. A server on loopback takes its place here; the tests of the crate onward
//! run the real one.

use std::sync::Arc;

use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use lambda_http::{Body, Error};
use onward::lambda::Forward;
use tower::ServiceExt;

use super::serving::serve;
use crate::call::{Call, answer, answer_with};
use crate::running::Running;

type App = Arc<dyn Call>;

#[onward::propagate]
async fn attribute(call: App, event: lambda_http::Request) -> Result<Response<Body>, Error> {
    plain(call, event).await
}

async fn plain(call: App, event: lambda_http::Request) -> Result<Response<Body>, Error> {
    Ok(Response::new(answer(&*call, event.uri().query().unwrap_or_default()).await.into()))
}

async fn headers(call: App, event: lambda_http::Request) -> Result<Response<Body>, Error> {
    let lookup = |name: &str| event.headers().get(name).map(HeaderValue::as_bytes);
    let query = event.uri().query().unwrap_or_default();
    Ok(Response::new(answer_with(&*call, query, &lookup).await.into()))
}

pub(super) async fn start(call: App) -> Result<Running, String> {
    serve(service_fn(move |request: Request<Incoming>| {
        let call = call.clone();
        async move {
            let event = request.map(|_| Body::Empty);
            let answered = match event.uri().path() {
                "/attribute" => {
                    lambda_http::service_fn(|event| attribute(call.clone(), event)).oneshot(event).await
                }
                "/middleware" => {
                    let handler = lambda_http::service_fn(|event| plain(call.clone(), event));
                    Forward::new(handler).oneshot(event).await
                }
                "/headers" => headers(call, event).await,
                _ => plain(call, event).await,
            };
            Ok::<_, std::convert::Infallible>(match answered {
                Ok(response) => response.map(text),
                Err(error) => {
                    let mut response = Response::new(error.to_string());
                    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                    response
                }
            })
        }
    }))
    .await
}

fn text(body: Body) -> String {
    match body {
        Body::Text(text) => text,
        body => String::from_utf8_lossy(&body).into_owned(),
    }
}

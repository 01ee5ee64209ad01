//! `lambda_http` in a process of its own, under a Runtime API on loopback.
//!
//! The runtime finds that API by environment variables, so the test starts itself again with them.

use std::convert::Infallible;
use std::process::{Child, Command};

use http::{HeaderMap, Method, Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use lambda_http::{Body, Error};
use onward::lambda::Forward;
use tokio::sync::mpsc;

use crate::support::{FORWARDED, INBOUND, echo, relay, serve};

#[onward::propagate]
async fn attribute(event: lambda_http::Request) -> Result<lambda_http::Response<Body>, Error> {
    Ok(lambda_http::Response::new(relay(event.uri().query()).await.into()))
}

async fn plain(event: lambda_http::Request) -> Result<lambda_http::Response<Body>, Error> {
    Ok(lambda_http::Response::new(relay(event.uri().query()).await.into()))
}

const HANDLER: &str = "ONWARD_TEST_HANDLER";

/// What the child process runs; anywhere else it does nothing.
#[tokio::test]
async fn process() {
    let result = match std::env::var(HANDLER).as_deref() {
        Ok("attribute") => lambda_http::run(lambda_http::service_fn(attribute)).await,
        Ok("covered") => lambda_http::run(Forward::new(lambda_http::service_fn(plain))).await,
        Ok(_) => lambda_http::run(lambda_http::service_fn(plain)).await,
        Err(_) => Ok(()),
    };
    result.expect("a runtime");
}

/// An event as an API gateway sends it.
fn event(echo: &str) -> String {
    let headers: serde_json::Map<String, serde_json::Value> =
        INBOUND.iter().map(|&(name, value)| (name.to_owned(), value.into())).collect();
    serde_json::json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/reviews",
        "rawQueryString": format!("to={echo}"),
        "headers": headers,
        "requestContext": {
            "accountId": "1", "apiId": "1", "domainName": "localhost", "requestId": "1",
            "routeKey": "$default", "stage": "$default", "time": "", "timeEpoch": 0,
            "http": { "method": "GET", "path": "/reviews", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "" },
        },
        "isBase64Encoded": false,
    })
    .to_string()
}

/// Stops the child also where the test fails.
struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn invoke(handler: &str) -> String {
    let event = event(&format!("http://{}/", echo().await));
    let (events, next) = mpsc::channel(1);
    events.send(event).await.expect("a place");
    let next = std::sync::Arc::new(tokio::sync::Mutex::new(next));
    let (answers, mut answer) = mpsc::channel(1);
    let api = serve(service_fn(move |request: Request<Incoming>| {
        let (next, answers) = (next.clone(), answers.clone());
        async move {
            if request.method() == Method::POST {
                let body = request.into_body().collect().await.expect("a body").to_bytes();
                answers.send(body).await.expect("somebody waits");
                return Ok::<_, Infallible>(Response::new(String::new()));
            }
            // The second time it waits, as the real one does, for an event that never comes.
            let event = next.lock().await.recv().await.expect("an event");
            let mut response = Response::new(event);
            *response.headers_mut() = invocation();
            Ok(response)
        }
    }))
    .await;
    let child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "lambda::process"])
        .env(HANDLER, handler)
        .env("AWS_LAMBDA_RUNTIME_API", api.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "reviews")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "log")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "log")
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("a process");
    let _child = Stopped(child);
    let answer = answer.recv().await.expect("an answer");
    let answer: serde_json::Value = serde_json::from_slice(&answer).expect("JSON");
    answer["body"].as_str().expect("a response with a body").to_owned()
}

fn invocation() -> HeaderMap {
    let mut headers = HeaderMap::new();
    let arn = "arn:aws:lambda:us-east-1:1:function:reviews";
    for (name, value) in [
        ("lambda-runtime-aws-request-id", "1"),
        ("lambda-runtime-deadline-ms", "4102444800000"),
        ("lambda-runtime-invoked-function-arn", arn),
        ("lambda-runtime-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793"),
    ] {
        headers.insert(name, value.parse().expect("a value"));
    }
    headers
}

#[tokio::test]
async fn the_attribute_finds_the_headers_of_an_event() {
    assert_eq!(invoke("attribute").await, FORWARDED);
    assert_eq!(invoke("bare").await, "");
}

#[tokio::test]
async fn a_wrapper_covers_a_handler() {
    assert_eq!(invoke("covered").await, FORWARDED);
}

//! Bookinfo's own header lists, through the real productpage and reviews behind real Envoys, to its leaves.
//!
//! Needs the built services.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod services;
mod support;

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, HeaderValue},
    routing::get,
};
use onward_mesh::{
    app::{App, Start},
    apps::bookinfo::Form,
    progress::Progress,
    runner::{Mesh, Options},
};
use services::bookinfo;
use support::options;

/// What the client sends of Bookinfo's 20 names; the gateway's tracer and the session add the other seven. Bytes above
/// 0x7f, a tab, inner spaces and odd separators must survive.
const SENT: [(&str, &[u8]); 13] = [
    ("x-ot-span-context", b"AAAA//++==;\xe9"),
    ("x-datadog-trace-id", b"0011803532876627986230"),
    ("x-datadog-parent-id", b"67667974448284343"),
    ("x-datadog-sampling-priority", b"-1"),
    ("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03"),
    ("tracestate", b"rojo=00f067aa0ba902b7, congo=t61rcWkgMzE,,=x"),
    ("x-cloud-trace-context", b"4BF92F3577B34DA6A3CE929D0E0E4736/67667974448284343;o=1"),
    ("grpc-trace-bin", b"AABL+S81d7NNpqPOkp0ADkc2ATTwZ6oLqQK3AgE"),
    ("sw8", b"1-ZGVtbw==-ZGVtbw==-0-ZGVtbw==-ZGVtbw==-L3A=-ZGVtbw=="),
    ("user-agent", b"Mozilla/5.0 (X11;  Linux)\tOnward"),
    ("authorization", b"Bearer abc.DEF-_~+/=="),
    ("jwt", b"eyJhbGciOiJub25lIn0.e30."),
    // The session's cookie is put before it.
    ("cookie", b"theme=\xfcber; a=b"),
];
/// Added on the way.
const ADDED: [&str; 5] = ["x-request-id", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "end-user"];

type Seen = Arc<Mutex<Vec<HeaderMap>>>;

/// Bookinfo with leaves that write down what they receive: details and ratings.
fn app(form: Form, details: &Seen, ratings: &Seen) -> App {
    let mut app = bookinfo(form);
    for service in &mut app.services {
        match service.name.as_str() {
            "details" => service.start = leaf("/details/{id}", r#"{"id":0}"#, details),
            "ratings" => {
                service.start = leaf("/ratings/{id}", r#"{"id":0,"ratings":{"Reviewer1":5}}"#, ratings);
            }
            _ => {}
        }
    }
    app
}

fn leaf(path: &'static str, body: &'static str, seen: &Seen) -> Start {
    let seen = Arc::clone(seen);
    Start::task(move |listener, _| {
        let note = move |State(seen): State<Seen>, headers: HeaderMap| async move {
            seen.lock().unwrap().push(headers);
            ([("content-type", "application/json")], body)
        };
        let router = Router::new().route("/health", get(|| async {})).route(path, get(note));
        let router = router.with_state(Arc::clone(&seen));
        async move { axum::serve(listener, router).await.unwrap() }
    })
}

/// Logs in as jason and asks for the page; returns the request's id and cookie, and what each leaf received.
async fn visit(form: Form, forwarding: bool) -> (HeaderValue, HeaderValue, HeaderMap, HeaderMap) {
    let (details, ratings) = (Seen::default(), Seen::default());
    let options = Options { forwarding, ..options() };
    let mesh = Mesh::start(&app(form, &details, &ratings), &options, Progress::silent()).await.unwrap();
    let client =
        reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let gateway = format!("http://{}", mesh.gateway());

    let login = client.post(format!("{gateway}/login?username=jason")).send().await.unwrap();
    let cookie =
        login.headers()["set-cookie"].as_bytes().split(|byte| *byte == b';').next().unwrap().to_owned();
    let mut headers = HeaderMap::new();
    for (name, value) in SENT {
        let value = if name == "cookie" { [&cookie, &b"; "[..], value].concat() } else { value.to_vec() };
        headers.insert(name, HeaderValue::from_bytes(&value).unwrap());
    }
    let cookie = headers["cookie"].clone();
    let page = client.get(format!("{gateway}/productpage")).headers(headers).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let request_id = page.headers()["x-request-id"].clone();

    let only = |seen: &Seen| {
        let mut seen = seen.lock().unwrap();
        assert_eq!(seen.len(), 1);
        seen.remove(0)
    };
    (request_id, cookie, only(&details), only(&ratings))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the built services: run `cargo xtask test`"]
async fn bookinfos_headers_arrive_at_the_leaves_byte_for_byte_credentials_included() {
    arrive(Form::Explicit).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the built services: run `cargo xtask test`"]
async fn they_arrive_from_a_productpage_without_a_line_of_onward_too() {
    arrive(Form::Unchanged).await;
}

async fn arrive(form: Form) {
    let (request_id, cookie, details, ratings) = visit(form, true).await;
    for (leaf, seen) in [("details", &details), ("ratings", &ratings)] {
        for (name, value) in SENT {
            let expected = if name == "cookie" { cookie.as_bytes() } else { value };
            let received: Vec<_> = seen.get_all(name).iter().map(HeaderValue::as_bytes).collect();
            assert_eq!(received, [expected], "{name} at {leaf}");
        }
        assert_eq!(seen["x-request-id"], request_id, "{leaf}");
        assert_eq!(seen["end-user"], "jason", "{leaf}");
        assert!(ADDED.iter().all(|name| seen.get_all(*name).iter().count() == 1), "{leaf}: {seen:?}");
    }
    assert_eq!(details["x-b3-traceid"], ratings["x-b3-traceid"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the built services: run `cargo xtask test`"]
async fn with_onward_switched_off_none_of_them_arrives() {
    do_not_arrive(Form::Explicit).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the built services: run `cargo xtask test`"]
async fn without_onward_run_none_of_them_arrives_either() {
    do_not_arrive(Form::Alone).await;
}

async fn do_not_arrive(form: Form) {
    let (request_id, _, details, ratings) = visit(form, false).await;
    for (leaf, seen) in [("details", &details), ("ratings", &ratings)] {
        for (name, value) in SENT {
            // Client libraries have a user-agent of their own.
            assert!(
                seen.get(name).is_none_or(|got| name == "user-agent" && got.as_bytes() != value),
                "{name} at {leaf}"
            );
        }
        assert_ne!(seen["x-request-id"], request_id, "{leaf}");
    }
    // productpage takes the user from its session by itself; reviews hands on nothing.
    assert_eq!(details["end-user"], "jason");
    assert_eq!(ratings.get("end-user"), None);
    assert_ne!(details["x-b3-traceid"], ratings["x-b3-traceid"]);
}

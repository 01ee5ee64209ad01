//! Every cell passes, the table in the documentation says so, and a client that does something else is seen.
#![allow(clippy::expect_used, reason = "helpers of tests, outside of any #[test] function")]

use std::sync::Arc;

use onward::Destination;
use onward_matrix::call::{Answer, Call, Client, Lookup};
use onward_matrix::cell::{self, Cell};
use onward_matrix::echo::Echo;
use onward_matrix::table::{self, Summary};
use onward_matrix::{clients, servers};

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_passes_and_the_table_says_so() {
    let echo = Echo::start().await.expect("a free port");
    let mut cells = Vec::new();
    for server in servers::ALL {
        for client in clients::ALL {
            cells.push(cell::run(server, client, &echo).await);
        }
    }
    let failures: Vec<_> = cells.iter().filter(|cell| !cell.passed()).collect();
    assert!(failures.is_empty(), "{failures:#?}");
    let all = servers::ALL.len() * clients::ALL.len();
    let summary = Summary::new(servers::ALL, clients::ALL, &cells);
    assert_eq!(summary, Summary { cells: all, passed: all, failed: 0, empty: 0 });
    assert!(
        table::page(servers::ALL, clients::ALL, &cells) == include_str!("../../docs/matrix-rust.md"),
        "docs/matrix-rust.md is out of date; run `cargo xtask matrix rust`"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn other_ways_to_write_a_handler_forward_too() {
    let echo = Echo::start().await.expect("a free port");
    for server in servers::VARIANTS {
        let cell = cell::run(server, &clients::ALL[0], &echo).await;
        assert!(cell.passed(), "{cell:#?}");
    }
}

/// Answers with what it finds among the headers that it is given.
struct Finds;

impl Call for Finds {
    fn get(&self, _: String) -> Answer {
        Box::pin(async { Err("no headers".to_owned()) })
    }

    fn get_with(&self, _: String, headers: Lookup<'_, '_>) -> Answer {
        let found = headers("x-b3-spanid").map(|value| String::from_utf8_lossy(value).into_owned());
        Box::pin(async { found.ok_or_else(|| "not there".to_owned()) })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_can_give_its_call_the_headers_of_its_request() {
    for server in servers::ALL {
        let running = (server.start)(Arc::new(Finds)).await.expect("it starts");
        for (route, answer) in [("/headers", "e457b5a2e4d86bd1"), ("/bare", "error: no headers")] {
            let given = running.ask(route, "http://nobody/".to_owned()).await;
            assert_eq!(given.as_deref(), Ok(answer), "{}, {route}", server.name);
        }
    }
}

#[test]
fn a_cell_that_did_not_run_is_empty_in_the_count_and_in_the_table() {
    let (servers, clients) = (&servers::ALL[..1], &clients::ALL[..2]);
    let failed = Cell {
        server: servers[0].name,
        client: clients[0].name,
        checks: 9,
        failures: vec!["attribute, in the mesh: no request arrived".to_owned()],
    };
    let summary = Summary::new(servers, clients, std::slice::from_ref(&failed));
    assert_eq!(summary, Summary { cells: 2, passed: 0, failed: 1, empty: 1 });
    let page = table::page(servers, clients, &[failed]);
    assert!(page.contains("\n| **axum** | ✗ |  |\n"), "{page}");
}

/// Sends GET requests with whatever headers it is told to, and follows redirects with all of them.
struct Raw(fn(&str) -> http::HeaderMap);

impl Call for Raw {
    fn get(&self, url: String) -> Answer {
        let request = reqwest::Client::builder()
            .resolve("api.example.com", "127.0.0.1:0".parse().expect("an address"))
            .build()
            .map(|client| client.get(&url).headers((self.0)(&url)));
        Box::pin(async move {
            let response = request.map_err(|error| error.to_string())?.send().await;
            response.map_err(|error| error.to_string())?.text().await.map_err(|error| error.to_string())
        })
    }
}

async fn failures(make: fn() -> Result<Arc<dyn Call>, String>) -> Vec<String> {
    let echo = Echo::start().await.expect("a free port");
    let cell = cell::run(&servers::ALL[0], &Client::new("raw", make), &echo).await;
    let checks = cell.failures.iter().filter_map(|failure| failure.split(':').next());
    checks.map(str::to_owned).collect()
}

/// Negative control.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_forwards_nothing_is_seen() {
    assert_eq!(
        failures(|| Ok(Arc::new(Raw(|_| http::HeaderMap::new())))).await,
        [
            "attribute, in the mesh",
            "attribute, outside",
            "attribute, redirected outside",
            "attribute, the caller wins",
            "middleware, in the mesh",
            "middleware, outside",
            "middleware, redirected outside",
        ]
    );
}

/// Negative control.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_forwards_everything_everywhere_is_seen() {
    fn everything(_: &str) -> http::HeaderMap {
        let mut headers = http::HeaderMap::new();
        onward::current().inject(&mut headers);
        headers
    }
    assert_eq!(
        failures(|| Ok(Arc::new(Raw(everything)))).await,
        [
            "attribute, outside",
            "attribute, redirected outside",
            "attribute, the caller wins",
            "attribute, a signed URL",
            "middleware, outside",
            "middleware, redirected outside",
        ]
    );
}

/// Negative control.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_credentials_along_on_a_redirect_is_seen() {
    fn chosen_once(url: &str) -> http::HeaderMap {
        let mut headers = http::HeaderMap::new();
        for (name, value) in onward_matrix::call::caller_headers(url) {
            headers.insert(*name, http::HeaderValue::from_static(value));
        }
        onward::inject_to(&Destination::parse(url), &mut headers);
        headers
    }
    assert_eq!(
        failures(|| Ok(Arc::new(Raw(chosen_once)))).await,
        ["attribute, redirected outside", "middleware, redirected outside"]
    );
}

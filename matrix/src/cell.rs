//! One framework with one client: the checks, and what came out.

use std::fmt::Write as _;
use std::time::Duration;

use crate::call::{Client, OUTSIDE};
use crate::echo::{Echo, Visit};
use crate::inbound::{Expected, Line, relevant};
use crate::running::Running;
use crate::servers::Server;

/// How long a check may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What one check of a cell does.
#[derive(Clone, Copy, Debug)]
struct Check {
    name: &'static str,
    route: &'static str,
    url: fn(&Visit) -> String,
    expected: Expected,
}

const CHECKS: [Check; 9] = [
    Check { name: "attribute, in the mesh", route: "/attribute", url: inside, expected: Expected::All },
    Check { name: "attribute, outside", route: "/attribute", url: outside, expected: Expected::Trace },
    Check {
        name: "attribute, redirected outside",
        route: "/attribute",
        url: Visit::redirect,
        expected: Expected::Trace,
    },
    Check {
        name: "attribute, the caller wins",
        route: "/attribute",
        url: caller,
        expected: Expected::CallersOwn,
    },
    Check { name: "attribute, a signed URL", route: "/attribute", url: signed, expected: Expected::Bare },
    Check { name: "middleware, in the mesh", route: "/middleware", url: inside, expected: Expected::All },
    Check { name: "middleware, outside", route: "/middleware", url: outside, expected: Expected::Trace },
    Check {
        name: "middleware, redirected outside",
        route: "/middleware",
        url: Visit::redirect,
        expected: Expected::Trace,
    },
    Check { name: "neither of them", route: "/bare", url: inside, expected: Expected::Bare },
];

fn inside(visit: &Visit) -> String {
    visit.url("127.0.0.1")
}

fn outside(visit: &Visit) -> String {
    visit.url(OUTSIDE)
}

fn caller(visit: &Visit) -> String {
    inside(visit) + "?caller=wins"
}

fn signed(visit: &Visit) -> String {
    inside(visit) + "?X-Amz-Signature=0123"
}

/// What came out of a cell.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The framework.
    pub server: &'static str,
    /// The client.
    pub client: &'static str,
    /// How many checks ran.
    pub checks: usize,
    /// What was wrong, one sentence a check.
    pub failures: Vec<String>,
}

impl Cell {
    /// Every check ran and none failed.
    pub fn passed(&self) -> bool {
        self.checks == CHECKS.len() && self.failures.is_empty()
    }
}

/// Runs all checks of one cell.
pub async fn run(server: &Server, client: &Client, echo: &Echo) -> Cell {
    let mut cell = Cell { server: server.name, client: client.name, checks: 0, failures: Vec::new() };
    let started = async {
        let made = (client.make)()?;
        (server.start)(made).await
    };
    let running = match tokio::time::timeout(PATIENCE, started).await {
        Ok(Ok(running)) => running,
        Ok(Err(error)) => {
            cell.failures.push(format!("it does not start: {error}"));
            return cell;
        }
        Err(_) => {
            cell.failures.push("it does not start in time".to_owned());
            return cell;
        }
    };
    for check in CHECKS {
        cell.checks += 1;
        let result = match tokio::time::timeout(PATIENCE, one(check, client, &running, echo)).await {
            Ok(result) => result,
            Err(_) => Err("no answer in time".to_owned()),
        };
        if let Err(error) = result {
            cell.failures.push(format!("{}: {error}", check.name));
        }
    }
    cell
}

async fn one(check: Check, client: &Client, running: &Running, echo: &Echo) -> Result<(), String> {
    let visit = echo.visit();
    let url = (check.url)(&visit);
    let stops = url == visit.redirect() && !client.follows;
    let expected = if stops { Expected::NoRequest } else { check.expected };
    let answer = running.ask(check.route, url).await?;
    if !stops && answer != visit.answer() {
        return Err(format!("the server answers {answer:?}"));
    }
    let arrived = echo.arrived(&visit).map(|lines| relevant(without_suffix(lines, client.appends)));
    let expected = expected.lines();
    if arrived == expected { Ok(()) } else { Err(difference(expected.as_ref(), arrived.as_ref())) }
}

/// Takes off what a client has written behind `user-agent`.
fn without_suffix(mut lines: Vec<Line>, suffix: &str) -> Vec<Line> {
    for (name, value) in &mut lines {
        if name == "user-agent" && value.ends_with(suffix.as_bytes()) {
            value.truncate(value.len() - suffix.len());
        }
    }
    lines
}

fn difference(expected: Option<&Vec<Line>>, arrived: Option<&Vec<Line>>) -> String {
    let (Some(expected), Some(arrived)) = (expected, arrived) else {
        return if arrived.is_some() { "a request arrived" } else { "no request arrived" }.to_owned();
    };
    let mut text = String::new();
    for (what, lines, others) in [("missing", expected, arrived), ("too much", arrived, expected)] {
        for (name, value) in lines.iter().filter(|line| !others.contains(line)) {
            let _ = write!(text, "{what}: {name}: {}; ", String::from_utf8_lossy(value));
        }
    }
    if text.is_empty() { "lines are doubled or in another order".to_owned() } else { text }
}

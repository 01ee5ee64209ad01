//! Measures every framework end to end: a request comes in, the handler makes one call by reqwest, the answer goes out.
//!
//! Usage: `onward-bench-frameworks [ROUNDS [FRAMEWORK]]`. Prints one JSON object: for each framework, fixture and way to
//! forward what a request costs the server's process, as time of a processor and as allocations.
//!
//! The frameworks' servers are those of the matrix. Each runs in a process of its own, `onward-bench-frameworks serve
//! FRAMEWORK`, which this one asks, and in which nothing else is counted: the load client and what the handlers call
//! are on this side.

mod load;
mod serve;
mod server;
mod ways;

use std::error::Error;

use onward_matrix::servers;
use tokio::runtime::{self, Runtime};

type Failure = Box<dyn Error>;

const ROUNDS: usize = 31;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["serve", framework] => runtime()?.block_on(serve::run(framework)),
        [] => runtime()?.block_on(load::run(ROUNDS, None)),
        [rounds] => runtime()?.block_on(load::run(rounds.parse()?, None)),
        [rounds, framework] => runtime()?.block_on(load::run(rounds.parse()?, Some(framework))),
        _ => Err("arguments: [ROUNDS [FRAMEWORK]], or serve FRAMEWORK".into()),
    }
}

/// One core serves and the other one asks.
fn runtime() -> std::io::Result<Runtime> {
    runtime::Builder::new_current_thread().enable_all().build()
}

fn framework(name: &str) -> Result<&'static servers::Server, Failure> {
    let found = servers::ALL.iter().find(|server| server.name == name);
    found.ok_or_else(|| format!("there is no framework {name}").into())
}

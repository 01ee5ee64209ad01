//! The process of one framework: a server for each way to forward, and what they have used so far.
//!
//! It prints where they listen, and for each line of its input what the process has used. It ends with its input.

use std::collections::BTreeMap;

use onward_benches::count;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::{Failure, framework, ways::WAYS};

/// The line on which [`Used::allocations`] begins to count. While time is measured it does not.
pub(crate) const COUNT: &str = "count";

/// What the process has used.
#[derive(Deserialize, Serialize)]
pub(crate) struct Used {
    pub(crate) cpu_ns: i64,
    pub(crate) allocations: usize,
}

pub(crate) async fn run(name: &str) -> Result<(), Failure> {
    let mut running = Vec::new();
    let mut ports = BTreeMap::new();
    for way in &WAYS {
        let server = (framework(name)?.start)((way.client)()?).await?;
        ports.insert(way.name, server.address().port());
        running.push(server);
    }
    println!("{}", serde_json::to_string(&ports)?);
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        count::set(line == COUNT);
        let time = clock_gettime(ClockId::ProcessCPUTime);
        let cpu_ns = time.tv_sec * 1_000_000_000 + time.tv_nsec;
        println!("{}", serde_json::to_string(&Used { cpu_ns, allocations: count::allocations() })?);
    }
    Ok(())
}

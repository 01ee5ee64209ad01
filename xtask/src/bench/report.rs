//! What was measured, as data: also what `--json` prints.

use std::collections::BTreeMap;

use serde::Serialize;

/// A run. Every time is a median over interleaved rounds.
#[derive(Serialize)]
pub(super) struct Report {
    rounds: u32,
    pub(super) paths: Vec<PathRow>,
    pub(super) servers: Vec<ServerRow>,
    pub(super) frameworks: Vec<FrameworkRow>,
    pub(super) calls: Vec<CallRow>,
    pub(super) counts: Vec<Count>,
    pub(super) memory: Vec<Memory>,
}

/// One path of one language with one fixture.
#[derive(Serialize)]
pub(super) struct PathRow {
    pub(super) language: String,
    pub(super) path: String,
    pub(super) fixture: String,
    pub(super) onward_ns: f64,
    pub(super) hand_written: Option<Against>,
    pub(super) opentelemetry: Option<Against>,
}

/// How Onward compares with somebody.
#[derive(Serialize)]
pub(super) struct Against {
    /// What the other one takes.
    pub(super) ns: f64,
    /// How many times as long as Onward.
    pub(super) ratio: f64,
    /// How many times it should be at least.
    pub(super) target: Option<f64>,
}

/// A whole server with one fixture: what is left of its speed without propagation.
#[derive(Serialize)]
pub(super) struct ServerRow {
    pub(super) server: String,
    pub(super) fixture: String,
    /// Without propagation.
    pub(super) requests_per_second: f64,
    /// Without propagation, of the server's processor, for each request.
    pub(super) cpu_ns: f64,
    pub(super) hand_written: Kept,
    pub(super) opentelemetry: Kept,
    pub(super) onward: Kept,
    /// What Onward should keep of the requests a second.
    pub(super) target: Option<f64>,
}

/// Against the same server without propagation: 1 is all of it.
#[derive(Serialize)]
pub(super) struct Kept {
    /// Of the requests a second.
    pub(super) throughput: f64,
    /// Of the requests for each second of the server's processor, which hardly minds what else the machine does.
    pub(super) per_cpu: f64,
}

/// A Node service whose requests each make one call by `client`, with one fixture.
#[derive(Serialize)]
pub(super) struct CallRow {
    pub(super) client: String,
    pub(super) fixture: String,
    /// Without propagation.
    pub(super) requests_per_second: f64,
    /// Without propagation, of the service's processor, for each request.
    pub(super) cpu_ns: f64,
    /// By the name of each way to forward.
    pub(super) ways: BTreeMap<String, Kept>,
}

/// A Rust framework with one fixture: what a request with one call costs the server's process.
#[derive(Serialize)]
pub(super) struct FrameworkRow {
    pub(super) framework: String,
    pub(super) fixture: String,
    /// Without propagation, of the processor.
    pub(super) cpu_ns: f64,
    /// Without propagation.
    pub(super) allocations: f64,
    pub(super) hand_written: Cost,
    pub(super) opentelemetry: Cost,
    pub(super) onward: Cost,
}

/// Against the same framework without propagation.
#[derive(Serialize)]
pub(super) struct Cost {
    /// What is left of the requests for each second of the processor: 1 is all of them.
    pub(super) per_cpu: f64,
    /// How many more allocations a request makes.
    pub(super) allocations: f64,
}

/// What repeats exactly, for one contender of a Rust path.
#[derive(Serialize)]
pub(super) struct Count {
    pub(super) path: String,
    pub(super) fixture: String,
    pub(super) contender: String,
    pub(super) allocations: u64,
    /// Of the processor, for each call; none without valgrind.
    pub(super) instructions: Option<u64>,
    /// The most allocations that the run passes with.
    pub(super) limit: Option<u64>,
    /// What they should come down to.
    pub(super) target: Option<u64>,
}

/// What one request in flight holds, in bytes.
#[derive(Serialize)]
pub(super) struct Memory {
    pub(super) fixture: String,
    /// Names and values that go on.
    pub(super) forwarded: u64,
    /// On the heap and in the handle.
    pub(super) held: u64,
    pub(super) target: u64,
}

impl Report {
    pub(super) fn new(rounds: u32) -> Self {
        Self {
            rounds,
            paths: Vec::new(),
            servers: Vec::new(),
            frameworks: Vec::new(),
            calls: Vec::new(),
            counts: Vec::new(),
            memory: Vec::new(),
        }
    }

    pub(super) fn rounds(&self) -> u32 {
        self.rounds
    }
}

impl Count {
    /// Whether it is no more than it may be; none if nothing is written down.
    pub(super) fn held(&self) -> Option<bool> {
        self.limit.map(|limit| self.allocations <= limit)
    }
}

//! The benchmark programs of the languages: each compares the paths of its language in one process.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{report::Memory, runner::Runner, targets::Targets};
use crate::setup::Setup;

/// What such a program prints.
#[derive(Deserialize)]
pub(super) struct Measured {
    #[serde(alias = "rows")]
    pub(super) results: Vec<Measurement>,
    #[serde(default)]
    memory: Vec<Held>,
}

/// One path with one fixture.
#[derive(Deserialize)]
pub(super) struct Measurement {
    pub(super) path: String,
    pub(super) fixture: String,
    /// Median nanoseconds of each contender.
    ns: BTreeMap<String, f64>,
    /// Of each contender; Rust only.
    #[serde(default)]
    pub(super) allocations: BTreeMap<String, u64>,
}

/// What one request in flight holds in memory, in bytes.
#[derive(Deserialize)]
struct Held {
    fixture: String,
    heap: u64,
    handle: u64,
    forwarded: u64,
}

impl Measurement {
    /// The time of a contender, whose name is `snake_case` or `camelCase`, as the language likes it.
    pub(super) fn ns(&self, contender: &str) -> Option<f64> {
        let plain = |name: &str| name.replace('_', "").to_ascii_lowercase();
        self.ns.iter().find(|(name, _)| plain(name) == plain(contender)).map(|(_, ns)| *ns)
    }
}

impl Measured {
    pub(super) fn memory(&self, targets: &Targets) -> Vec<Memory> {
        let row = |held: &Held| Memory {
            fixture: held.fixture.clone(),
            forwarded: held.forwarded,
            held: held.heap + held.handle,
            target: held.forwarded + targets.memory_overhead,
        };
        self.memory.iter().map(row).collect()
    }
}

/// Brings Python to where its benchmark runs, and returns it.
pub(super) fn set_up_python(runner: &Runner, setup: &Setup) -> Result<PathBuf> {
    setup.python_group(&runner.root.join("bindings/python"), "bench")?;
    setup.python_binding()?;
    setup.venv()
}

/// Brings Node to where its benchmark runs, and returns it.
pub(super) fn set_up_node(runner: &Runner, setup: &Setup) -> Result<PathBuf> {
    setup.node_packages(&runner.root.join("bindings/node"))?;
    setup.node_binding()?;
    Ok(setup.node()?.path.clone())
}

pub(super) fn rust(runner: &Runner, program: &Path) -> Result<Measured> {
    let mut command = Command::new(program);
    command.arg(runner.rounds.to_string());
    measured(runner, "Rust", command)
}

pub(super) fn python(runner: &Runner, python: &Path) -> Result<Measured> {
    let mut command = Command::new(python);
    command.arg("benches/bench.py").current_dir(runner.root.join("bindings/python"));
    command.args(["--json", "--rounds", &runner.rounds.to_string()]);
    measured(runner, "Python", command)
}

pub(super) fn node(runner: &Runner, node: &Path) -> Result<Measured> {
    let mut command = Command::new(node);
    command.args(["--expose-gc", "benches/bench.mjs"]).current_dir(runner.root.join("bindings/node"));
    command.args(["--json", "--rounds", &runner.rounds.to_string()]);
    measured(runner, "Node", command)
}

fn measured(runner: &Runner, language: &str, command: Command) -> Result<Measured> {
    let json = runner.json(&format!("measuring the paths of {language}"), command)?;
    serde_json::from_value(json).with_context(|| format!("the benchmark of {language} prints something else"))
}

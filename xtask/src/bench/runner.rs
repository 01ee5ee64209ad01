//! Runs the programs that measure, and ends them when somebody asks for that.

use std::{
    path::PathBuf,
    process::Command,
    sync::{Arc, atomic::AtomicBool, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use onward_mesh::{
    process::Process,
    progress::{Progress, Step},
};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    setup::{self, Setup},
    stop,
};

/// Much longer than anything here takes on two slow cores: past it, it hangs.
const LIMIT: Duration = Duration::from_secs(15 * 60);
const POLL: Duration = Duration::from_millis(20);

/// A run of the benchmark.
pub(super) struct Runner {
    pub(super) root: PathBuf,
    pub(super) rounds: u32,
    progress: Progress,
    /// Gone when the runner goes.
    logs: TempDir,
    interrupted: Arc<AtomicBool>,
}

impl Runner {
    pub(super) fn new(progress: Progress, rounds: u32) -> Result<Self> {
        Ok(Self {
            root: setup::root()?,
            rounds,
            progress,
            logs: tempfile::Builder::new()
                .prefix("onward-bench-")
                .tempdir()
                .context("cannot make a folder")?,
            interrupted: stop::flag()?,
        })
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    pub(super) fn setup(&self) -> Result<Setup> {
        Setup::new(self.progress)
    }

    /// Starts a program that runs until its handle is dropped.
    pub(super) fn start(&self, name: &str, command: Command) -> Result<Process> {
        Ok(Process::spawn(name, command, self.logs.path())?)
    }

    /// Runs a program as a step; its last line is JSON.
    pub(super) fn json(&self, what: &str, command: Command) -> Result<Value> {
        let step = self.step(what);
        let text = self.text(command)?;
        step.done();
        let line = text.lines().rev().find(|line| line.starts_with('{')).unwrap_or_default();
        serde_json::from_str(line).with_context(|| format!("{what}: no JSON in the output:\n{text}"))
    }

    /// Begins a step of several programs.
    pub(super) fn step(&self, what: &str) -> Step {
        self.progress.step(what)
    }

    /// Runs a program and returns what it prints.
    pub(super) fn text(&self, command: Command) -> Result<String> {
        let shown = format!("{command:?}");
        let logs = tempfile::tempdir_in(self.logs.path()).context("cannot make a folder")?;
        let mut process = Process::spawn("program", command, logs.path())?;
        let started = Instant::now();
        let status = loop {
            if let Some(status) = process.status() {
                break status;
            }
            ensure!(!self.is_interrupted(), "interrupted");
            ensure!(started.elapsed() < LIMIT, "{shown} hangs:\n{}", process.log_tail());
            thread::sleep(POLL);
        };
        if !status.success() {
            bail!("{shown} failed ({status}):\n{}", process.log_tail());
        }
        Ok(process.log())
    }
}

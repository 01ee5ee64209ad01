//! A run of the tests: runs checks, tells how each went, adds up.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    slice,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use onward_mesh::{
    process::{Process, stop_within},
    progress::Progress,
};
use tempfile::TempDir;

use super::tally::{Runner, Tally};
use crate::{
    setup::{self, Setup},
    stop,
};

/// Much longer than any check takes on two slow cores: past it, it hangs.
const LIMIT: Duration = Duration::from_secs(20 * 60);
/// A mesh that is asked to end stops its own processes first.
const GRACE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);

/// A run of the tests.
pub(super) struct Session {
    pub(super) root: PathBuf,
    progress: Progress,
    /// Gone when the session goes.
    temp: TempDir,
    interrupted: Arc<AtomicBool>,
    step: &'static str,
    started: Instant,
    tally: Tally,
    done: Vec<(&'static str, Tally, Duration)>,
}

/// How a command has ended, with everything that it printed.
pub(super) struct Ended {
    status: Option<ExitStatus>,
    pub(super) text: String,
}

/// What became of a check: its cases, and a sentence if it failed or could not run.
pub(super) type Verdict = (Tally, Option<String>);

impl Session {
    pub(super) fn new(progress: Progress) -> Result<Self> {
        Ok(Self {
            root: setup::root()?,
            progress,
            temp: tempfile::Builder::new()
                .prefix("onward-test-")
                .tempdir()
                .context("cannot make a folder")?,
            interrupted: stop::flag()?,
            step: "",
            started: Instant::now(),
            tally: Tally::default(),
            done: Vec::new(),
        })
    }

    pub(super) fn begin(&mut self, step: &'static str) {
        (self.step, self.started, self.tally) = (step, Instant::now(), Tally::default());
    }

    pub(super) fn end(&mut self) {
        self.done.push((self.step, self.tally, self.started.elapsed()));
    }

    /// Notes that a step could not go on.
    pub(super) fn give_up(&mut self, error: &anyhow::Error) {
        self.tally += Tally::failure();
        println!("{} cannot go on: {error:#}", self.step);
    }

    /// Prints what each step took, and the closing line.
    pub(super) fn summary(&self) -> Tally {
        let mut total = Tally::default();
        let mut table = String::from("\n");
        for (step, tally, time) in &self.done {
            let _ = writeln!(table, "{step:<12} {:>7.1} s   {tally}", time.as_secs_f64());
            total += *tally;
        }
        println!("{table}\n{total}");
        total
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// The setup of this repository. Drop it before a check that sets up by itself.
    pub(super) fn setup(&self) -> Result<Setup> {
        Setup::new(self.progress)
    }

    /// An empty folder outside the repository.
    pub(super) fn folder(&self) -> Result<PathBuf> {
        let dir = tempfile::Builder::new().tempdir_in(self.temp.path()).context("cannot make a folder")?;
        Ok(dir.keep())
    }

    /// A program that is to run in a folder of the repository.
    pub(super) fn command(&self, program: impl AsRef<std::ffi::OsStr>, folder: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.root.join(folder));
        command
    }

    pub(super) fn cargo(&self) -> Command {
        self.command(setup::cargo(), "")
    }

    /// A command that succeeds or fails as a whole. Returns whether it succeeded.
    pub(super) fn check(&mut self, what: &str, command: Command) -> Result<bool> {
        self.judge(what, command, |ended| match ended.problem() {
            None => (Tally::passed(1), None),
            Some(problem) => (Tally::failure(), Some(problem)),
        })
    }

    /// A test runner, whose cases count. Running none is a failure.
    pub(super) fn tests(&mut self, what: &str, runner: Runner, command: Command) -> Result<bool> {
        self.judge(what, command, |ended| Tally::verdict(runner, &ended.text, ended.problem()))
    }

    /// A command that `judge` decides about.
    pub(super) fn judge(
        &mut self,
        what: &str,
        command: Command,
        judge: impl FnOnce(&Ended) -> Verdict,
    ) -> Result<bool> {
        let shown = format!("{command:?}");
        let step = self.progress.step(format!("{}: {what}", self.step));
        let ended = match self.run(command) {
            Err(error) if self.is_interrupted() => return Err(error),
            Err(error) => Ended { status: None, text: format!("{error:#}") },
            Ok(ended) => ended,
        };
        let (tally, problem) = judge(&ended);
        self.tally += tally;
        if tally.failed == 0 {
            step.done_with(&remark(tally, problem));
            return Ok(true);
        }
        drop(step);
        println!("{}: {what}: {}\n$ {shown}\n{}", self.step, problem.unwrap_or_default(), ended.text);
        Ok(false)
    }

    /// A check by this program itself.
    pub(super) fn verify(&mut self, what: &str, check: impl FnOnce() -> Result<usize>) -> bool {
        let step = self.progress.step(format!("{}: {what}", self.step));
        match check() {
            Ok(cases) => {
                self.tally += Tally::passed(cases);
                step.done_with(&remark(Tally::passed(cases), None));
                true
            }
            Err(error) => {
                self.tally += Tally::failure();
                drop(step);
                println!("{}: {what}: {error:#}", self.step);
                false
            }
        }
    }

    /// Says why a check is not made.
    pub(super) fn skip(&mut self, what: &str, reason: &str) {
        let step = self.progress.step(format!("{}: {what}", self.step));
        self.tally += Tally::skip();
        step.done_with(&format!("skipped: {reason}"));
    }

    fn run(&self, command: Command) -> Result<Ended> {
        let logs = self.folder()?;
        let started = Instant::now();
        let mut process = Process::spawn("check", command, &logs)?;
        let status = loop {
            if let Some(status) = process.status() {
                break Some(status);
            }
            if self.is_interrupted() {
                stop_within(slice::from_mut(&mut process), GRACE);
                bail!("interrupted");
            }
            if started.elapsed() > LIMIT {
                stop_within(slice::from_mut(&mut process), GRACE);
                break None;
            }
            thread::sleep(POLL);
        };
        Ok(Ended { status, text: process.log() })
    }
}

impl Ended {
    /// Why it did not succeed.
    pub(super) fn problem(&self) -> Option<String> {
        match self.status {
            Some(status) if status.success() => None,
            Some(status) => Some(format!("it failed ({status})")),
            None => Some(format!("it did not start, or was stopped after {} minutes", LIMIT.as_secs() / 60)),
        }
    }

    /// Its exit status, if it has one.
    pub(super) fn code(&self) -> Option<i32> {
        self.status?.code()
    }

    /// The last line that says something.
    pub(super) fn last_line(&self) -> &str {
        self.text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default()
    }
}

/// Makes a virtual environment with nothing in it and returns its Python.
pub(super) fn clean_venv(session: &mut Session, what: &str, python: &Path) -> Result<Option<PathBuf>> {
    let dir = session.folder()?.join("venv");
    let mut command = session.command(python, "");
    command.args(["-m", "venv"]).arg(&dir);
    let made = session.judge(what, command, |ended| match ended.problem() {
        None => (Tally::default(), None),
        Some(problem) => (Tally::failure(), Some(problem)),
    })?;
    Ok(made.then(|| dir.join("bin/python")))
}

fn remark(tally: Tally, sentence: Option<String>) -> String {
    match (tally, sentence) {
        (_, Some(sentence)) => sentence,
        (Tally { passed: 0 | 1, skipped: 0, .. }, None) => String::new(),
        (Tally { passed, skipped: 0, .. }, None) => format!("{passed} passed"),
        (Tally { passed, skipped, .. }, None) => format!("{passed} passed, {skipped} skipped"),
    }
}

//! Says on standard error what is going on: a spinner on a terminal, plain lines anywhere else.

use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// Where steps are shown.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    shown: Shown,
}

#[derive(Clone, Copy, Debug)]
enum Shown {
    Spinner,
    Lines,
    Nowhere,
}

impl Progress {
    /// Spinners if standard error is a terminal, lines otherwise.
    pub fn new() -> Self {
        Self { shown: if std::io::stderr().is_terminal() { Shown::Spinner } else { Shown::Lines } }
    }

    /// Shows nothing; for tests.
    pub fn silent() -> Self {
        Self { shown: Shown::Nowhere }
    }

    /// Begins a step, for example `building the Python package`.
    pub fn step(&self, what: impl Into<String>) -> Step {
        let what = what.into();
        let bar = matches!(self.shown, Shown::Spinner).then(|| {
            let style = ProgressStyle::with_template("  {spinner} {prefix}  {elapsed}  {wide_msg:.dim}");
            let bar = ProgressBar::new_spinner().with_prefix(what.clone());
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Step { what, shown: self.shown, bar, started: Instant::now(), finished: false }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

/// A step that is under way. Dropping it without [`Step::done`] says that it failed.
#[derive(Debug)]
pub struct Step {
    what: String,
    shown: Shown,
    bar: Option<ProgressBar>,
    started: Instant,
    finished: bool,
}

impl Step {
    /// Shows what the step is busy with; only a terminal has a place for it.
    pub fn note(&self, text: impl Into<String>) {
        if let Some(bar) = &self.bar {
            bar.set_message(text.into());
        }
    }

    /// Ends the step with its time.
    pub fn done(self) {
        self.done_with("");
    }

    /// Ends the step with its time and a remark.
    pub fn done_with(mut self, remark: &str) {
        self.finished = true;
        self.end("✓", remark);
    }

    fn end(&self, sign: &str, remark: &str) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        if matches!(self.shown, Shown::Nowhere) {
            return;
        }
        let seconds = self.started.elapsed().as_secs_f64();
        let time = if seconds < 0.05 { String::new() } else { format!("  {seconds:.1} s") };
        let remark = if remark.is_empty() { String::new() } else { format!("  {remark}") };
        anstream::eprintln!("  {sign} {}{remark}{time}", self.what);
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if !self.finished {
            self.end("✗", "");
        }
    }
}

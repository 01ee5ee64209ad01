//! Runs a tool as a step: its output is kept and shown only if it fails.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Command, Stdio},
    sync::mpsc::{Sender, channel},
    thread,
};

use anyhow::{Context, Result, bail};
use onward_mesh::progress::Step;

const TAIL_LINES: usize = 60;

/// What a tool has printed.
pub(super) struct Output {
    /// Lines of standard output.
    pub(super) stdout: Vec<String>,
}

/// Runs `command`, with its last line as the step's note.
///
/// # Errors
///
/// If it cannot be started or fails; the message has the end of its output.
pub(super) fn run(step: &Step, mut command: Command) -> Result<Output> {
    let shown = format!("{command:?}");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {shown}"))?;
    let (lines, arriving) = channel();
    let out = child.stdout.take().map(|pipe| read(pipe, true, lines.clone()));
    let err = child.stderr.take().map(|pipe| read(pipe, false, lines));
    let mut all = Vec::new();
    let mut stdout = Vec::new();
    for (is_stdout, line) in arriving {
        if !line.starts_with('{') {
            step.note(line.trim());
            all.push(line.clone());
        }
        if is_stdout {
            stdout.push(line);
        }
    }
    for reader in [out, err].into_iter().flatten() {
        let _ = reader.join();
    }
    let status = child.wait().with_context(|| format!("cannot wait for {shown}"))?;
    if !status.success() {
        let tail = all[all.len().saturating_sub(TAIL_LINES)..].join("\n");
        bail!("{shown} failed ({status}); the end of its output:\n{tail}");
    }
    Ok(Output { stdout })
}

fn read(pipe: impl Read + Send + 'static, is_stdout: bool, lines: Sender<(bool, String)>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            let _ = lines.send((is_stdout, String::from_utf8_lossy(&line).trim_end().to_owned()));
        }
    })
}

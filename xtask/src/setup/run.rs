//! Runs a tool as a step: its output is kept and shown only if it fails.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Command, Stdio},
    sync::mpsc::{Sender, channel},
    thread,
};

use anyhow::{Context, Result, bail};
use onward_mesh::progress::Step;

/// Compilers say at the end what is wrong, npm at the start.
const HEAD_LINES: usize = 15;
const TAIL_LINES: usize = 45;

/// What a tool has printed.
pub(super) struct Output {
    /// Lines of standard output.
    pub(super) stdout: Vec<String>,
}

/// Runs `command`, with its last line as the step's note.
///
/// # Errors
///
/// If it cannot be started or fails; the message has the start and the end of its output.
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
        bail!("{shown} failed ({status}):\n{}", both_ends(&all));
    }
    Ok(Output { stdout })
}

fn read(
    pipe: impl Read + Send + 'static,
    is_stdout: bool,
    lines: Sender<(bool, String)>,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            let _ = lines.send((is_stdout, String::from_utf8_lossy(&line).trim_end().to_owned()));
        }
    })
}

/// The lines, without the middle if they are many.
fn both_ends(lines: &[String]) -> String {
    let left_out = lines.len().saturating_sub(HEAD_LINES + TAIL_LINES);
    if left_out == 0 {
        return lines.join("\n");
    }
    let (head, tail) = (&lines[..HEAD_LINES], &lines[HEAD_LINES + left_out..]);
    format!("{}\n... {left_out} lines ...\n{}", head.join("\n"), tail.join("\n"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use onward_mesh::progress::Progress;

    use super::*;

    fn shell(script: &str) -> Result<Output> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let step = Progress::silent().step("a test");
        run(&step, command)
    }

    #[test]
    fn standard_output_is_returned_by_line() {
        assert_eq!(shell("echo one; echo noise >&2; echo two").unwrap().stdout, ["one", "two"]);
    }

    #[test]
    fn a_failure_shows_what_the_tool_has_printed() {
        let error = shell("echo what is wrong >&2; exit 3").err().unwrap().to_string();
        assert!(error.ends_with("failed (exit status: 3):\nwhat is wrong"), "{error}");
    }

    #[test]
    fn a_long_output_loses_its_middle() {
        let lines: Vec<String> = (1..=100).map(|number| number.to_string()).collect();
        let text = both_ends(&lines);
        assert!(text.starts_with("1\n2\n") && text.ends_with("\n99\n100"), "{text}");
        assert!(text.contains("\n15\n... 40 lines ...\n56\n"), "{text}");
    }
}

//! What repeats exactly: allocations, and instructions where valgrind is installed.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

use super::{languages::Measured, report::Count, runner::Runner, targets::Targets};

/// Two runs that differ only in their calls: start and end of the program cancel out.
const CALLS: [u64; 2] = [160, 1_760];

pub(super) fn collect(
    runner: &Runner,
    program: &Path,
    measured: &Measured,
    targets: &Targets,
) -> Result<Vec<Count>> {
    let step = has_valgrind().then(|| runner.step("counting instructions"));
    let mut counts = Vec::new();
    for one in &measured.results {
        for (contender, &allocations) in &one.allocations {
            let known = targets.counts.iter().find(|known| {
                contender == "onward" && known.path == one.path && known.fixture == one.fixture
            });
            let what = [one.path.as_str(), &one.fixture, contender];
            let instructions = match &step {
                Some(step) => {
                    step.note(what.join(", "));
                    Some(instructions(runner, program, what)?)
                }
                None => None,
            };
            counts.push(Count {
                path: one.path.clone(),
                fixture: one.fixture.clone(),
                contender: contender.clone(),
                allocations,
                instructions,
                limit: known.map(|known| known.allocations),
                target: known.map(|known| known.target.unwrap_or(known.allocations)),
            });
        }
    }
    if let Some(step) = step {
        step.done();
    }
    Ok(counts)
}

fn has_valgrind() -> bool {
    let mut command = Command::new("valgrind");
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Instructions of one call.
fn instructions(runner: &Runner, program: &Path, what: [&str; 3]) -> Result<u64> {
    let mut totals = [0; 2];
    for (calls, total) in CALLS.iter().zip(&mut totals) {
        let mut command = Command::new("valgrind");
        command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program);
        command.arg("once").args(what).arg(calls.to_string());
        let text = runner.text(command)?;
        *total = collected(&text).with_context(|| format!("valgrind tells no count:\n{text}"))?;
    }
    Ok(totals[1].saturating_sub(totals[0]) / (CALLS[1] - CALLS[0]))
}

/// The number in the line `==PID== Collected : NUMBER`.
fn collected(text: &str) -> Option<u64> {
    let (_, rest) = text.split_once("Collected : ")?;
    rest.lines().next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_from_what_valgrind_prints() {
        assert_eq!(collected("==7== Events    : Ir\n==7== Collected : 1234\n==7==\n"), Some(1234));
        assert_eq!(collected("==7== killed"), None);
    }
}

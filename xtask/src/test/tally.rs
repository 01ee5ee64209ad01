//! How many cases passed, read from what the test runners print.

use std::{fmt, ops::AddAssign};

/// Numbers of test cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) skipped: usize,
}

/// A program that runs tests.
#[derive(Clone, Copy, Debug)]
pub(super) enum Runner {
    /// `cargo test`
    Cargo,
    /// `python -m pytest`
    Pytest,
    /// `node --test`
    Node,
}

impl Tally {
    /// So many cases passed, and nothing else.
    pub(super) fn passed(passed: usize) -> Self {
        Self { passed, ..Self::default() }
    }

    /// One case failed.
    pub(super) fn failure() -> Self {
        Self { failed: 1, ..Self::default() }
    }

    /// One case was skipped.
    pub(super) fn skip() -> Self {
        Self { skipped: 1, ..Self::default() }
    }

    /// What `runner` has counted; nothing if it did not come to its closing lines.
    pub(super) fn read(runner: Runner, output: &str) -> Self {
        let mut tally = Self::default();
        match runner {
            // One line a test program: "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; ...".
            Runner::Cargo => {
                output
                    .lines()
                    .filter(|line| line.starts_with("test result: "))
                    .for_each(|line| tally.words(line));
            }
            // "==== 2 failed, 30 passed, 1 skipped in 4.20s ====", with `-q` without the signs.
            Runner::Pytest => {
                let is_last = |line: &&str| {
                    line.contains(" in ")
                        && (line.contains(" passed") || line.contains(" failed") || line.contains(" error"))
                };
                output.lines().rev().find(is_last).into_iter().for_each(|line| tally.words(line));
            }
            // "# pass 12" or "ℹ pass 12", one line a number.
            Runner::Node => output.lines().for_each(|line| tally.node(line)),
        }
        tally
    }

    /// The cases of a runner that ended with this problem or with none, and what is wrong in the end. A failure counts as
    /// at least one case, and so does running nothing.
    pub(super) fn verdict(runner: Runner, output: &str, problem: Option<String>) -> (Self, Option<String>) {
        let mut tally = Self::read(runner, output);
        let problem = match problem {
            None if tally.failed > 0 => Some("it succeeded although tests failed".into()),
            None if tally.passed == 0 => Some("it ran no test".into()),
            other => other,
        };
        if problem.is_some() {
            tally.failed = tally.failed.max(1);
        }
        (tally, problem)
    }

    /// Adds the pairs of number and word in a line.
    fn words(&mut self, line: &str) {
        let words: Vec<_> = line.split([' ', ',', ';', '=']).filter(|word| !word.is_empty()).collect();
        for pair in words.windows(2) {
            let Ok(number) = pair[0].parse::<usize>() else { continue };
            match pair[1] {
                "passed" | "xfailed" => self.passed += number,
                "failed" | "error" | "errors" | "xpassed" => self.failed += number,
                "skipped" | "ignored" => self.skipped += number,
                _ => {}
            }
        }
    }

    fn node(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ ")) else { return };
        let Some((word, number)) = rest.split_once(' ') else { return };
        let Ok(number) = number.trim().parse::<usize>() else { return };
        match word {
            "pass" => self.passed += number,
            "fail" | "cancelled" => self.failed += number,
            "skipped" | "todo" => self.skipped += number,
            _ => {}
        }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: usize, failed: usize, skipped: usize) -> Tally {
        Tally { passed, failed, skipped }
    }

    #[test]
    fn the_programs_of_a_cargo_test_are_added_up() {
        let output = "running 2 tests\ntest a ... ok\n\
            test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s\n\
            test result: FAILED. 40 passed; 3 failed; 0 ignored; 0 measured; 7 filtered out; finished in 0.10s\n";
        assert_eq!(Tally::read(Runner::Cargo, output), tally(42, 3, 1));
    }

    #[test]
    fn the_closing_line_of_pytest_counts_and_nothing_before_it() {
        let output = "captured: 9 passed in 1.0s\n==== 2 failed, 30 passed, 1 skipped, 4 warnings, 1 error in 4.20s ====\n";
        assert_eq!(Tally::read(Runner::Pytest, output), tally(30, 3, 1));
        assert_eq!(Tally::read(Runner::Pytest, "441 passed in 0.31s\n"), tally(441, 0, 0));
        assert_eq!(Tally::read(Runner::Pytest, "no tests ran in 0.01s\n"), tally(0, 0, 0));
    }

    #[test]
    fn a_runner_that_fails_or_runs_nothing_has_at_least_one_failure() {
        let verdict =
            |output, problem: Option<&str>| Tally::verdict(Runner::Pytest, output, problem.map(Into::into));
        assert_eq!(verdict("3 passed in 0.1s", None), (tally(3, 0, 0), None));
        assert_eq!(verdict("no tests ran in 0.1s", None), (tally(0, 1, 0), Some("it ran no test".into())));
        assert_eq!(
            verdict("3 passed in 0.1s", Some("signal 11")),
            (tally(3, 1, 0), Some("signal 11".into()))
        );
        assert_eq!(verdict("2 failed in 0.1s", Some("exit 1")), (tally(0, 2, 0), Some("exit 1".into())));
        let strange = "it succeeded although tests failed";
        assert_eq!(verdict("2 failed, 1 passed in 0.1s", None), (tally(1, 2, 0), Some(strange.into())));
    }

    #[test]
    fn both_faces_of_the_node_runner_are_read() {
        let numbers = [
            "tests 9",
            "suites 0",
            "pass 5",
            "fail 1",
            "cancelled 1",
            "skipped 2",
            "todo 0",
            "duration_ms 71.5",
        ];
        for sign in ["# ", "ℹ "] {
            let output = numbers.map(|line| format!("{sign}{line}")).join("\n");
            assert_eq!(Tally::read(Runner::Node, &output), tally(5, 2, 2), "{sign}");
        }
    }

    #[test]
    fn the_closing_line_names_what_was_skipped_only_if_something_was() {
        assert_eq!(tally(3, 0, 0).to_string(), "3 passed, 0 failed");
        assert_eq!(tally(3, 1, 2).to_string(), "3 passed, 1 failed, 2 skipped");
    }
}

//! The end of a run in a few lines.

use std::{collections::BTreeMap, fmt::Write};

use super::{
    style::{BAD, BOLD, DIM, GOOD, paint},
    tree::milliseconds,
};
use crate::analysis::Report;

/// How many different problems are listed.
const PROBLEMS: usize = 5;

/// What a run has shown: counts, times, what is broken. `shown` traces have been printed already.
pub fn summary(report: &Report, shown: usize) -> String {
    let counts = report.summary();
    let mut text = String::new();
    let rest = report.traces.len().saturating_sub(shown);
    if rest > 0 {
        let _ = writeln!(text, "{}", paint(DIM, &format!("... and {rest} more. {}", times(report))));
    }
    let languages: Vec<_> =
        report.services.iter().map(|(name, language)| format!("{name} ({language})")).collect();
    let _ = writeln!(text, "{}", languages.join(", "));
    let sign = if report.is_whole() { paint(GOOD, "✓") } else { paint(BAD, "✗") };
    let numbers = format!(
        "{} requests, {} traces, {} spans, {} broken",
        counts.requests, counts.traces, counts.spans, counts.broken
    );
    let _ = writeln!(text, "{sign} {}", paint(BOLD, &numbers));
    for (sentence, count) in problems(report).into_iter().take(PROBLEMS) {
        let _ = writeln!(text, "  {}", paint(BAD, &format!("{count} × {sentence}")));
    }
    let pieces = report.pieces().count();
    if pieces > 0 {
        let _ =
            writeln!(text, "  {}", paint(BAD, &format!("{pieces} traces are torn-off pieces of requests")));
    }
    text
}

/// What is wrong with requests, the most frequent first.
fn problems(report: &Report) -> Vec<(String, usize)> {
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for problem in report.broken().filter_map(|request| request.problem.as_ref()) {
        *counted.entry(problem.sentence()).or_default() += 1;
    }
    for outcome in report.failed() {
        let sentence = match &outcome.status {
            Ok(status) => format!("answered with status {status}"),
            Err(reason) => format!("no answer: {reason}"),
        };
        *counted.entry(sentence).or_default() += 1;
    }
    let mut problems: Vec<_> = counted.into_iter().collect();
    problems.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    problems
}

fn times(report: &Report) -> String {
    let mut durations: Vec<u64> = report.traces.iter().map(|judged| judged.trace.duration_us()).collect();
    durations.sort_unstable();
    let middle = durations.get(durations.len() / 2).copied().unwrap_or(0);
    let longest = durations.last().copied().unwrap_or(0);
    format!("Half of all took {} or less, the longest {}.", milliseconds(middle), milliseconds(longest))
}

//! The report for people.

use std::fmt::Write as _;

use super::report::{Against, CallRow, Cost, Count, FrameworkRow, Kept, Memory, PathRow, Report, ServerRow};

pub(super) fn render(report: &Report) -> String {
    let mut text = format!(
        "\nMedians over {} interleaved rounds in one process a language; only ratios mean anything.\n",
        report.rounds()
    );
    paths(&mut text, &report.paths);
    servers(&mut text, &report.servers);
    frameworks(&mut text, &report.frameworks);
    calls(&mut text, &report.calls);
    counts(&mut text, &report.counts);
    memory(&mut text, &report.memory);
    text
}

fn paths(text: &mut String, rows: &[PathRow]) {
    if rows.is_empty() {
        return;
    }
    let header = ["by hand", "OpenTelemetry", "Onward", "against by hand", "against OpenTelemetry"];
    let [hand, tracer, onward, against_hand, against_tracer] = header;
    line(
        text,
        &format!("{:7} {:27} ", "", ""),
        &format!("{hand:>10} {tracer:>14} {onward:>10}   {against_hand:26} {against_tracer}"),
    );
    for row in rows {
        let ns =
            |against: &Option<Against>| against.as_ref().map_or_else(String::new, |one| nanoseconds(one.ns));
        line(
            text,
            &format!("{:7} {:27}{}", row.language, row.path, row.fixture),
            &format!(
                "{:>10} {:>14} {:>10}   {:26} {}",
                ns(&row.hand_written),
                ns(&row.opentelemetry),
                nanoseconds(row.onward_ns),
                ratio(row.hand_written.as_ref()),
                ratio(row.opentelemetry.as_ref()),
            ),
        );
    }
}

fn servers(text: &mut String, rows: &[ServerRow]) {
    if rows.is_empty() {
        return;
    }
    text.push_str("\nWhole servers: of the requests a second without propagation; in brackets, for each second of the server's processor\n");
    line(
        text,
        &format!("{:13}", ""),
        &format!("{:>12} {:>9} {:>16} {:>16} {:>16}", "without", "CPU", "by hand", "OpenTelemetry", "Onward"),
    );
    let kept = |kept: &Kept| format!("{:.2} ({:.2})", kept.throughput, kept.per_cpu);
    for row in rows {
        let verdict = row.target.map_or_else(String::new, |target| verdict(row.onward.per_cpu, target, ""));
        line(
            text,
            &format!("{:12}{}", row.server, row.fixture),
            &format!(
                "{:>10.0}/s {:>6.1} us {:>16} {:>16} {:>16}   {verdict}",
                row.requests_per_second,
                row.cpu_ns / 1000.0,
                kept(&row.hand_written),
                kept(&row.opentelemetry),
                kept(&row.onward),
            ),
        );
    }
}

fn frameworks(text: &mut String, rows: &[FrameworkRow]) {
    if rows.is_empty() {
        return;
    }
    text.push_str("\nRust frameworks, a request with one call: of the requests for each second of the server's processor without propagation, and allocations on top\n");
    line(
        text,
        &format!("{:13}", ""),
        &format!("{:>20} {:>13} {:>15} {:>13}", "without", "by hand", "OpenTelemetry", "Onward"),
    );
    let cost = |cost: &Cost| format!("{:.2} {:>+4.0}", cost.per_cpu, cost.allocations);
    for row in rows {
        line(
            text,
            &format!("{:12}{}", row.framework, row.fixture),
            &format!(
                "{:>13.1} us {:>4.0} {:>13} {:>15} {:>13}",
                row.cpu_ns / 1000.0,
                row.allocations,
                cost(&row.hand_written),
                cost(&row.opentelemetry),
                cost(&row.onward),
            ),
        );
    }
}

/// The ways, as the benchmark calls them and as people read them.
const WAYS: [(&str, &str); 6] = [
    ("hand_written", "by hand"),
    ("scope", "and a scope"),
    ("hpropagate", "hpropagate"),
    ("opentelemetry", "OpenTelemetry"),
    ("instrumentation", "its instrumentation"),
    ("onward", "Onward"),
];

fn calls(text: &mut String, rows: &[CallRow]) {
    if rows.is_empty() {
        return;
    }
    text.push_str("\nA Node service, a request with one call: of the requests for each second of the service's processor without propagation\n");
    let names = WAYS.map(|(_, name)| format!(" {name:>19}")).concat();
    line(text, &format!("{:13}", ""), &format!("{:>12} {:>9}{names}", "without", "CPU"));
    for row in rows {
        let kept = WAYS.map(|(way, _)| {
            let kept = row.ways.get(way).map_or_else(|| "-".into(), |kept| format!("{:.2}", kept.per_cpu));
            format!(" {kept:>19}")
        });
        line(
            text,
            &format!("{:12}{}", row.client, row.fixture),
            &format!("{:>10.0}/s {:>6.1} us{}", row.requests_per_second, row.cpu_ns / 1000.0, kept.concat()),
        );
    }
}

fn counts(text: &mut String, rows: &[Count]) {
    if rows.is_empty() {
        return;
    }
    text.push_str("\nCounts of one call in Rust, which repeat exactly\n");
    line(text, &format!("{:42}", ""), &format!("{:>12} {:>13}", "allocations", "instructions"));
    for row in rows {
        let instructions = row.instructions.map_or_else(|| "no valgrind".into(), |count| count.to_string());
        let verdict = allocations(row);
        line(
            text,
            &format!("{:25}{} {:15}", row.path, row.fixture, row.contender),
            &format!("{:>12} {instructions:>13}   {verdict}", row.allocations),
        );
    }
}

fn allocations(row: &Count) -> String {
    let (Some(limit), Some(target)) = (row.limit, row.target) else { return String::new() };
    match row.allocations {
        count if count > limit => format!("MORE than the {limit} that are written down"),
        count if count > target => format!("<= {target} missed"),
        _ => format!("<= {target} held"),
    }
}

fn memory(text: &mut String, rows: &[Memory]) {
    if !rows.is_empty() {
        text.push('\n');
    }
    for row in rows {
        let verdict = if row.held <= row.target { "held" } else { "missed" };
        let _ = writeln!(
            text,
            "A request in flight, {}, holds {} bytes for {} that go on   <= {} {verdict}",
            row.fixture, row.held, row.forwarded, row.target
        );
    }
}

fn nanoseconds(ns: f64) -> String {
    format!("{ns:.0} ns")
}

fn ratio(against: Option<&Against>) -> String {
    let Some(against) = against else { return String::new() };
    let verdict = against.target.map_or_else(String::new, |target| verdict(against.ratio, target, "x"));
    format!("{:>6.1}x {verdict}", against.ratio)
}

/// Whether a number is at least its target, and by how much not.
fn verdict(number: f64, target: f64, unit: &str) -> String {
    if number >= target {
        format!(">= {target}{unit} held")
    } else {
        format!(">= {target}{unit} missed by {:.0} %", (1.0 - number / target) * 100.0)
    }
}

fn line(text: &mut String, left: &str, right: &str) {
    let _ = writeln!(text, "{}", format!("{left} {right}").trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_held_or_missed_by_so_much() {
        assert_eq!(verdict(4.5, 4.5, "x"), ">= 4.5x held");
        assert_eq!(verdict(3.6, 4.5, "x"), ">= 4.5x missed by 20 %");
    }

    #[test]
    fn an_empty_report_is_only_its_first_line() {
        assert_eq!(render(&Report::new(25)).trim().lines().count(), 1);
    }
}

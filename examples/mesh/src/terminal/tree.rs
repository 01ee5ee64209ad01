//! One trace as a tree with bars.

use std::fmt::Write;

use super::style::{self, BAD, BOLD, DIM, GOOD, paint};
use crate::{
    analysis::Judged,
    app::{Direction, GATEWAY, word},
    collector::{
        span::Span,
        trace::{Row, Trace},
        verdict::Break,
    },
};

const DURATION_WIDTH: usize = 10;

/// A trace as lines of text, `width` columns wide: a heading, a line per span with its place in time, and what is
/// broken. Colours are ANSI sequences.
pub fn tree(judged: &Judged, width: usize) -> String {
    let trace = &judged.trace;
    let rows = trace.rows();
    let labels: Vec<String> = rows.iter().enumerate().map(|(at, row)| label(trace, &rows, at, row)).collect();
    let label_width = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
    let bar_width = width.saturating_sub(label_width + DURATION_WIDTH + 4).max(10);
    let mut text = heading(judged);
    for (row, label) in rows.iter().zip(labels) {
        let span = &trace.spans[row.span];
        let padding = " ".repeat(label_width - label.chars().count());
        let style = style::service(&span.service);
        let bar = bar(trace, span, bar_width);
        let duration = milliseconds(span.duration_us);
        let _ = writeln!(
            text,
            "  {}{padding} {} {duration:>DURATION_WIDTH$}",
            paint(if span.is_error() { BAD } else { style }, &label),
            paint(style, &bar),
        );
    }
    let mut sentences: Vec<String> = judged.breaks.iter().map(Break::sentence).collect();
    // A service that lost the headers of several calls is told so once.
    sentences.dedup();
    for sentence in sentences {
        let _ = writeln!(text, "  {}", paint(BAD, &format!("✗ {sentence}")));
    }
    text
}

fn heading(judged: &Judged) -> String {
    let trace = &judged.trace;
    let count = trace.spans.len();
    let spans = if count == 1 { "1 span".to_owned() } else { format!("{count} spans") };
    let sign = match (judged.breaks.is_empty(), judged.belongs_to_a_request) {
        (true, true) => paint(GOOD, "whole"),
        (true, false) => paint(BAD, "a torn-off piece"),
        (false, _) => paint(BAD, "broken"),
    };
    let request = trace.first().map_or_else(String::new, request);
    format!(
        "{}  {}{}  {sign}\n",
        paint(BOLD, &format!("trace {}", trace.id)),
        if request.is_empty() { request } else { format!("{request}  ") },
        paint(DIM, &format!("{spans}, {}", milliseconds(trace.duration_us()))),
    )
}

/// Method and path of the request, where the reporter has said so.
fn request(span: &Span) -> String {
    let method = span.tags.get("http.method").map_or("", String::as_str);
    let url = span.tags.get("http.url").map_or("", String::as_str);
    let path = url.splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap_or_default();
    format!("{} {}", printable(method), printable(&path)).trim().to_owned()
}

fn label(trace: &Trace, rows: &[Row], at: usize, row: &Row) -> String {
    let span = &trace.spans[row.span];
    let side = span.direction().map_or("", word);
    let name = format!("{}{} ({side})", branches(rows, at), printable(&span.service));
    // Where an outbound call goes is told by the row below it, if there is one.
    let answered = rows.get(at + 1).is_some_and(|next| next.depth > row.depth);
    match callee(span).filter(|_| !answered && span.service != GATEWAY) {
        Some(callee) => format!("{name} → {callee}"),
        None => name,
    }
}

fn callee(span: &Span) -> Option<String> {
    let operation =
        span.direction().filter(|direction| *direction == Direction::Egress).map(|_| &span.name)?;
    operation.split('.').next().map(printable)
}

/// The lines that join a row to its parent.
fn branches(rows: &[Row], at: usize) -> String {
    let depth = rows[at].depth;
    let goes_on = |level: usize| {
        let later = rows[at + 1..].iter().find(|row| row.depth <= level);
        later.is_some_and(|row| row.depth == level)
    };
    let mut text = String::new();
    for level in 1..depth {
        text.push_str(if goes_on(level) { "│ " } else { "  " });
    }
    if depth > 0 {
        text.push_str(if goes_on(depth) { "├ " } else { "└ " });
    }
    text
}

/// The place of a span in its trace: `··███·····`.
fn bar(trace: &Trace, span: &Span, width: usize) -> String {
    let total = trace.duration_us().max(1);
    let cells = |us: u64| {
        let cells = u128::from(us) * width as u128 / u128::from(total);
        usize::try_from(cells).unwrap_or(width).min(width)
    };
    let start = cells(span.timestamp_us.saturating_sub(trace.start_us())).min(width - 1);
    let length = cells(span.duration_us).clamp(1, width - start);
    format!("{}{}{}", "·".repeat(start), "█".repeat(length), "·".repeat(width - start - length))
}

/// `1.25 ms`, from microseconds.
pub(super) fn milliseconds(us: u64) -> String {
    format!("{}.{:02} ms", us / 1000, us % 1000 / 10)
}

/// Text from the network without what would steer a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::collector::span::Kind;

    fn span(id: &str, parent: Option<&str>, kind: Kind, service: &str, start: u64, length: u64) -> Arc<Span> {
        Arc::new(Span {
            trace_id: "t".into(),
            id: id.into(),
            parent_id: parent.map(Into::into),
            kind: Some(kind),
            service: service.into(),
            name: "storage.dockebi.svc.cluster.local:9080/*".into(),
            timestamp_us: start,
            duration_us: length,
            ..Span::default()
        })
    }

    fn plain(judged: &Judged) -> String {
        anstream::adapter::strip_str(&tree(judged, 60)).to_string()
    }

    fn judged(spans: Vec<Arc<Span>>) -> Judged {
        Judged { trace: Trace { id: "t".into(), spans }, breaks: vec![], belongs_to_a_request: true }
    }

    #[test]
    fn a_chain_is_drawn_as_a_tree_with_bars_on_one_time_axis() {
        let text = plain(&judged(vec![
            span("1", None, Kind::Client, "gateway", 1_000, 4_000),
            span("2", Some("1"), Kind::Server, "dockebi", 2_000, 2_000),
            span("3", Some("2"), Kind::Client, "dockebi", 3_000, 1_000),
        ]));
        let expected = "\
trace t  3 spans, 4.00 ms  whole
  gateway (egress)               ████████████████    4.00 ms
  └ dockebi (ingress)            ····████████····    2.00 ms
    └ dockebi (egress) → storage ········████····    1.00 ms
";
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn siblings_are_joined_by_a_line() {
        let text = plain(&judged(vec![
            span("1", None, Kind::Server, "page", 1_000, 9_000),
            span("2", Some("1"), Kind::Client, "page", 2_000, 1_000),
            span("3", Some("2"), Kind::Server, "details", 2_000, 1_000),
            span("4", Some("1"), Kind::Client, "page", 5_000, 1_000),
        ]));
        let names: Vec<_> = text.lines().skip(1).map(|line| &line[2..=line.find(')').unwrap()]).collect();
        assert_eq!(names, ["page (ingress)", "├ page (egress)", "│ └ details (ingress)", "└ page (egress)"]);
    }

    #[test]
    fn control_characters_from_the_network_do_not_reach_the_terminal() {
        let text = plain(&judged(vec![span("1", None, Kind::Server, "evil\u{1b}[2J", 0, 1)]));
        assert!(text.contains("evil?[2J (ingress)"), "{text}");
    }
}

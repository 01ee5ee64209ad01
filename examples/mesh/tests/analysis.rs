//! Which requests count as broken, from spans written out by hand.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use onward_mesh::{
    analysis::{Problem, Report, analyse},
    app::{App, Service, Start},
    collector::{
        span::{Kind, REQUEST_ID_TAG, Span},
        store::Store,
    },
    load::Outcome,
};

/// gateway -> front -> back: gateway egress, front ingress, front egress, back ingress.
fn app() -> App {
    let service = |name| Service::new(name, "rust", Start::task(|_, _| async {}));
    App {
        name: "chain".into(),
        entry: "front".into(),
        path: "/".into(),
        headers: vec![],
        services: vec![service("front").calls("back", "BACK"), service("back")],
    }
}

fn span(trace: &str, id: &str, parent: Option<&str>, kind: Kind, service: &str, request: &str) -> Span {
    let position: u64 = id.parse().unwrap();
    Span {
        trace_id: trace.into(),
        id: id.into(),
        parent_id: parent.map(Into::into),
        kind: Some(kind),
        service: service.into(),
        timestamp_us: 1_000 + position,
        duration_us: 100 - 2 * position,
        tags: [(REQUEST_ID_TAG.to_owned(), request.to_owned())].into(),
        ..Span::default()
    }
}

fn whole() -> Vec<Span> {
    vec![
        span("t", "1", None, Kind::Client, "gateway", "r"),
        span("t", "2", Some("1"), Kind::Server, "front", "r"),
        span("t", "3", Some("2"), Kind::Client, "front", "r"),
        span("t", "4", Some("3"), Kind::Server, "back", "r"),
    ]
}

fn judge(spans: Vec<Span>) -> Report {
    let store = Store::new(100);
    store.add(spans);
    let outcome = Outcome { number: 1, request_id: Some("r".into()), status: Ok(200) };
    analyse(&app(), 1, &store, vec![outcome]).unwrap()
}

fn problem(spans: Vec<Span>) -> Option<Problem> {
    judge(spans).requests[0].problem.clone()
}

#[test]
fn four_joined_spans_are_a_whole_request() {
    assert_eq!(problem(whole()), None);
}

#[test]
fn a_call_that_was_tried_twice_in_the_same_trace_is_whole() {
    let mut spans = whole();
    spans.push(span("t", "5", Some("2"), Kind::Client, "front", "r"));
    spans.push(span("t", "6", Some("5"), Kind::Server, "back", "r"));
    assert_eq!(problem(spans), None);
}

#[test]
fn another_request_id_further_on_does_not_break_a_joined_trace() {
    let mut spans = whole();
    for span in &mut spans[2..] {
        span.tags.insert(REQUEST_ID_TAG.into(), "made-up".into());
    }
    assert_eq!(problem(spans), None);
}

#[test]
fn a_request_without_spans_is_broken() {
    assert_eq!(problem(vec![]), Some(Problem::NoTrace));
}

#[test]
fn a_parent_that_nobody_reported_breaks_the_request() {
    let mut spans = whole();
    spans[2].parent_id = Some("9".into());
    assert_eq!(problem(spans), Some(Problem::MissingParent { service: "front".into() }));
}

#[test]
fn a_second_root_in_the_same_trace_breaks_the_request() {
    let mut spans = whole();
    spans[2].parent_id = None;
    assert_eq!(problem(spans), Some(Problem::SeveralRoots { roots: 2 }));
}

#[test]
fn the_same_request_id_in_two_traces_breaks_the_request() {
    let mut spans = whole();
    spans[2].parent_id = None;
    for span in &mut spans[2..] {
        span.trace_id = "u".into();
    }
    let report = judge(spans);
    assert_eq!(report.requests[0].problem, Some(Problem::Split { traces: 2 }));
    assert_eq!(report.examples().len(), 2);
}

#[test]
fn a_piece_under_a_request_id_of_its_own_is_missed_and_reported_as_torn_off() {
    let mut spans = whole();
    spans[2].parent_id = None;
    for span in &mut spans[2..] {
        span.trace_id = "u".into();
        span.tags.insert(REQUEST_ID_TAG.into(), "made-up".into());
    }
    let report = judge(spans);
    let missing = vec!["front (egress)".to_owned(), "back (ingress)".to_owned()];
    assert_eq!(report.requests[0].problem, Some(Problem::Incomplete { missing }));
    assert_eq!(report.pieces().count(), 1);
    assert_eq!(report.examples().len(), 2, "the request and its piece");
}

#[test]
fn a_request_that_failed_is_not_whole_even_if_its_trace_is() {
    let store = Store::new(100);
    store.add(whole());
    let outcome = Outcome { number: 1, request_id: Some("r".into()), status: Ok(503) };
    let report = analyse(&app(), 1, &store, vec![outcome]).unwrap();
    assert_eq!(report.broken().count(), 0);
    assert!(!report.is_whole());
}

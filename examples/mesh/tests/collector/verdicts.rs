use onward_mesh::collector::span::{Direction, Kind, REQUEST_ID_TAG, Span};
use onward_mesh::collector::trace::Trace;
use onward_mesh::collector::verdict::{Break, judge};

use crate::support::{bookinfo, span, trace};
use Kind::{Client, Server};

/// reviews is called at 1000 for 300 µs, and calls ratings at 1100 in a trace of its own.
fn halves(front: &str, tail: &str) -> [Trace; 2] {
    let before = vec![
        span(front, "1", "", Client, "gateway", 990, 400),
        span(front, "2", "1", Server, "reviews", 1_000, 300),
    ];
    let after = vec![
        span(tail, "3", "", Client, "reviews", 1_100, 90),
        span(tail, "4", "3", Server, "ratings", 1_110, 70),
    ];
    [trace(before), trace(after)]
}

fn with_request_id(trace: &Trace, id: &str) -> Trace {
    let tagged = |span: &Span| {
        let mut span = span.clone();
        span.tags.insert(REQUEST_ID_TAG.into(), id.into());
        span
    };
    crate::support::trace(trace.spans.iter().map(|span| tagged(span)).collect())
}

fn lost(belongs_to: Option<&str>) -> Break {
    Break::LostContext { service: "reviews".into(), belongs_to: belongs_to.map(str::to_owned) }
}

fn goes_on(trace: Option<&str>) -> Break {
    Break::GoesOnElsewhere { service: "reviews".into(), trace: trace.map(str::to_owned) }
}

#[test]
fn whole_traces_are_whole_however_many_overlap() {
    assert_eq!(judge(&[trace(bookinfo("a")), trace(bookinfo("b"))]), [[], []]);
}

#[test]
fn a_call_that_became_a_root_names_the_service_that_did_not_forward_and_joins_both_halves() {
    let [front, tail] = halves("f", "t");
    // Neither is a broken tree by itself.
    assert!(!front.is_broken() && !tail.is_broken());
    assert_eq!(judge(&[front, tail]), [[goes_on(Some("t"))], [lost(Some("f"))]]);
}

#[test]
fn a_first_call_of_a_service_that_handles_nothing_is_no_lost_context() {
    let [_, tail] = halves("f", "t");
    assert_eq!(judge(std::slice::from_ref(&tail)), [[]]);
    // reviews was called, but long before.
    let earlier = trace(vec![span("e", "9", "", Server, "reviews", 10, 20)]);
    assert_eq!(judge(&[earlier, tail]), [[], []]);
}

#[test]
fn where_several_requests_were_open_no_half_is_guessed() {
    let [front_1, tail] = halves("f1", "t");
    let [front_2, _] = halves("f2", "");
    assert_eq!(judge(&[front_1, front_2, tail]), [[goes_on(None)], [goes_on(None)], [lost(None)]]);
}

#[test]
fn a_request_id_settles_which_half_it_is() {
    let [front_1, tail] = halves("f1", "t");
    let [front_2, _] = halves("f2", "");
    let traces =
        [with_request_id(&front_1, "one"), with_request_id(&front_2, "two"), with_request_id(&tail, "two")];
    assert_eq!(judge(&traces), [vec![], vec![goes_on(Some("t"))], vec![lost(Some("f2"))]]);
}

#[test]
fn requests_that_did_call_on_are_not_suspected_for_the_one_that_did_not() {
    let [front, tail] = halves("f", "t");
    let forwarding = trace(vec![
        span("g", "1", "", Client, "gateway", 990, 400),
        span("g", "2", "1", Server, "reviews", 1_000, 300),
        span("g", "3", "2", Client, "reviews", 1_050, 100),
    ]);
    assert_eq!(judge(&[front, forwarding, tail]), [vec![goes_on(None)], vec![], vec![lost(None)]]);
}

#[test]
fn surplus_roots_name_the_services_whose_calls_they_are() {
    let spans = vec![
        span("t", "1", "", Client, "gateway", 1, 90),
        span("t", "2", "1", Server, "reviews", 2, 80),
        span("t", "3", "", Client, "reviews", 10, 20),
        span("t", "4", "", Client, "reviews", 40, 20),
    ];
    let verdicts = judge(&[trace(spans)]);
    assert_eq!(verdicts, [[Break::SeveralRoots { services: vec!["reviews".into()], roots: 3 }]]);
    assert_eq!(
        verdicts[0][0].sentence(),
        "reviews did not forward the span id of the request: an outbound call of it has become a root, so this trace has 3 roots."
    );
}

#[test]
fn a_missing_parent_says_who_named_it() {
    let spans = vec![
        span("t", "1", "", Client, "gateway", 1, 90),
        span("t", "2", "1", Server, "reviews", 2, 80),
        span("t", "3", "f", Client, "reviews", 10, 20),
    ];
    let verdicts = judge(&[trace(spans)]);
    assert_eq!(
        verdicts,
        [[Break::MissingParent {
            service: "reviews".into(),
            direction: Some(Direction::Egress),
            parent: "f".into()
        }]]
    );
    assert!(verdicts[0][0].may_mend());
}

#[test]
fn a_store_full_of_broken_requests_is_judged_without_comparing_all_with_all() {
    let mut traces = Vec::new();
    for n in 0..20_000_u64 {
        let at = n * 1_000;
        traces.push(trace(vec![span(&format!("f{n}"), "1", "", Server, "reviews", at, 300)]));
        traces.push(trace(vec![span(&format!("t{n}"), "2", "", Client, "reviews", at + 10, 100)]));
    }
    let verdicts = judge(&traces);
    assert_eq!(verdicts[0], [goes_on(Some("t0"))]);
    assert_eq!(verdicts[39_999], [lost(Some("f19999"))]);
}

use onward_mesh::collector::links::{Link, links};
use onward_mesh::collector::span::{DIRECTION_TAG, Direction, Endpoint, Kind, Span};
use onward_mesh::collector::trace::Trace;

use crate::support::{bookinfo, span, trace};
use Kind::{Client, Server};

fn ids(spans: &[&Span]) -> Vec<String> {
    spans.iter().map(|span| span.id.clone()).collect()
}

fn rows(trace: &Trace) -> Vec<(usize, &str)> {
    trace.rows().iter().map(|row| (row.depth, trace.spans[row.span].id.as_str())).collect()
}

#[test]
fn a_whole_trace_is_one_tree() {
    let whole = trace(bookinfo("t"));
    assert_eq!(ids(&whole.roots()), ["01"]);
    assert_eq!(ids(&whole.children("02")), ["03", "05"], "by start, not by arrival");
    assert_eq!(ids(&whole.missing_parents()), [""; 0]);
    assert!(!whole.is_broken());
    assert_eq!(
        rows(&whole),
        [(0, "01"), (1, "02"), (2, "03"), (3, "04"), (2, "05"), (3, "06"), (4, "07"), (5, "08")]
    );
    assert_eq!((whole.start_us(), whole.duration_us()), (1_000, 400));
}

#[test]
fn a_span_is_on_the_side_that_its_tag_says_and_without_one_on_that_of_its_kind() {
    let side = |tag: Option<&str>, kind| {
        let tags = tag.map(|word| (DIRECTION_TAG.to_owned(), word.to_owned())).into_iter().collect();
        Span { tags, kind, ..Span::default() }.direction()
    };
    assert_eq!(side(Some("ingress"), None), Some(Direction::Ingress), "of a format that has no kinds");
    assert_eq!(side(Some("egress"), Some(Server)), Some(Direction::Egress));
    assert_eq!(side(Some("sideways"), Some(Server)), Some(Direction::Ingress), "a tag of somebody else");
    assert_eq!(side(None, Some(Client)), Some(Direction::Egress));
    assert_eq!(side(None, None), None, "work inside a service");
}

#[test]
fn a_span_whose_parent_nobody_reported_breaks_the_trace() {
    let mut spans = bookinfo("t");
    spans.retain(|span| span.id != "06");
    let broken = trace(spans);
    assert!(broken.is_broken());
    assert_eq!(ids(&broken.missing_parents()), ["07"]);
    assert_eq!(ids(&broken.roots()), ["01"]);
}

#[test]
fn a_second_root_breaks_the_trace() {
    let broken =
        trace(vec![span("t", "1", "", Client, "gateway", 1, 9), span("t", "2", "", Client, "reviews", 3, 4)]);
    assert!(broken.is_broken());
    assert_eq!(ids(&broken.roots()), ["1", "2"]);
}

#[test]
fn an_empty_trace_is_not_broken() {
    assert!(!Trace::default().is_broken());
    assert_eq!((Trace::default().start_us(), Trace::default().duration_us()), (0, 0));
}

#[test]
fn both_halves_of_a_shared_span_are_one_call() {
    // Zipkin's shared spans: client and server report under one id.
    let mut server = span("t", "b", "a", Server, "reviews", 12, 6);
    server.shared = true;
    let shared = trace(vec![
        server,
        span("t", "a", "", Server, "productpage", 1, 30),
        span("t", "b", "a", Client, "productpage", 10, 10),
        span("t", "c", "b", Client, "reviews", 13, 2),
    ]);
    assert!(!shared.is_broken());
    assert_eq!(rows(&shared), [(0, "a"), (1, "b"), (2, "b"), (3, "c")]);
    let only = Link { parent: "productpage".into(), child: "reviews".into(), call_count: 1, error_count: 0 };
    assert_eq!(links([&shared]), [only]);
}

#[test]
fn a_loop_of_parents_ends_and_is_broken() {
    let spans = vec![span("t", "1", "2", Client, "a", 1, 1), span("t", "2", "1", Server, "b", 1, 1)];
    let looped = trace(spans);
    assert!(looped.has_loop() && looped.is_broken());
    assert_eq!(looped.rows().len(), 2);
    assert!(!trace(bookinfo("t")).has_loop());
}

#[test]
fn a_trace_deeper_than_the_stack_is_walked() {
    let id = |n: usize| format!("{n:016x}");
    let deep = trace(
        (1..=50_000)
            .map(|n| span("t", &id(n), &(if n == 1 { String::new() } else { id(n - 1) }), Server, "a", 1, 1))
            .collect(),
    );
    assert_eq!(deep.rows().last().map(|row| row.depth), Some(49_999));
    assert!(!deep.is_broken());
}

#[test]
fn times_at_the_end_of_the_scale_do_not_overflow() {
    let far = trace(vec![
        span("t", "1", "", Client, "a", u64::MAX, u64::MAX),
        span("t", "2", "1", Server, "b", 1, 1),
    ]);
    assert_eq!(far.duration_us(), u64::MAX - 1);
}

#[test]
fn links_are_the_calls_between_services_with_their_errors() {
    let mut failed = bookinfo("t2");
    failed[7].tags.insert("error".into(), "true".into());
    let link = |parent: &str, child: &str, call_count, error_count| Link {
        parent: parent.into(),
        child: child.into(),
        call_count,
        error_count,
    };
    assert_eq!(
        links([&trace(bookinfo("t1")), &trace(failed)]),
        [
            link("gateway", "productpage", 2, 0),
            link("productpage", "details", 2, 0),
            link("productpage", "reviews", 2, 0),
            link("reviews", "ratings", 2, 1),
        ]
    );
}

#[test]
fn a_called_service_that_reports_nothing_is_known_from_its_caller() {
    let mut call = span("t", "2", "1", Client, "reviews", 2, 3);
    call.remote = Some(Endpoint { service: Some("mongodb".into()), ..Endpoint::default() });
    let found = links([&trace(vec![span("t", "1", "", Server, "reviews", 1, 9), call])]);
    assert_eq!(
        found,
        [Link { parent: "reviews".into(), child: "mongodb".into(), call_count: 1, error_count: 0 }]
    );
}

#[test]
fn a_service_that_calls_itself_through_the_mesh_is_a_link_and_its_inner_spans_are_none() {
    let spans = vec![
        span("t", "1", "", Server, "a", 1, 9),
        span("t", "2", "1", Client, "a", 2, 7),
        span("t", "3", "2", Server, "a", 3, 5),
    ];
    let found = links([&trace(spans)]);
    assert_eq!(found, [Link { parent: "a".into(), child: "a".into(), call_count: 1, error_count: 0 }]);
}

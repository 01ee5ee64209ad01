use onward_mesh::collector::span::{Kind, Span};
use onward_mesh::collector::store::Store;

use crate::support::{bookinfo, span};

fn small(trace: &str, id: &str) -> Span {
    span(trace, id, "", Kind::Server, "a", 1, 1)
}

#[test]
fn over_the_bound_the_oldest_traces_go_as_a_whole_and_are_counted() {
    let store = Store::new(20);
    for id in ["t1", "t2", "t3"] {
        store.add(bookinfo(id));
    }
    let kept: Vec<String> = store.traces().into_iter().map(|trace| trace.id).collect();
    assert_eq!(kept, ["t2", "t3"]);
    assert_eq!(store.len(), 16);
    let counts = store.counts();
    assert_eq!((counts.traces, counts.evicted_traces, counts.refused_spans, counts.max_spans), (2, 1, 0, 20));
    assert!(store.traces().iter().all(|trace| !trace.is_broken()), "half a trace would look broken");
}

#[test]
fn late_spans_of_an_evicted_trace_do_not_bring_it_back_in_pieces() {
    let store = Store::new(2);
    store.add(vec![small("t1", "1"), small("t2", "1"), small("t3", "1")]);
    store.add(vec![small("t1", "2")]);
    assert!(store.trace("t1").is_none());
    assert_eq!(store.counts().refused_spans, 1);
}

#[test]
fn one_trace_cannot_outgrow_the_store() {
    let store = Store::new(3);
    store.add((0..10).map(|n| small("t", &n.to_string())).collect());
    assert_eq!(store.len(), 3);
    assert_eq!(store.counts().refused_spans, 7);
}

#[test]
fn bytes_are_bounded_as_well_as_spans() {
    let store = Store::new(10);
    for trace in 0..10 {
        let mut big = small(&format!("t{trace}"), "1");
        big.tags.insert("body".into(), "x".repeat(20_000));
        store.add(vec![big]);
    }
    // 10 spans may hold 80 KiB together: four of these.
    assert_eq!(store.len(), 4);
    assert_eq!(store.counts().evicted_traces, 6);
    let mut huge = small("huge", "1");
    huge.tags.insert("body".into(), "x".repeat(100_000));
    store.add(vec![huge]);
    assert!(store.trace("huge").is_none());
    assert_eq!(store.counts().refused_spans, 1);
}

#[test]
fn a_span_reported_twice_is_one_span() {
    let store = Store::new(10);
    store.add(vec![small("t", "1"), small("t", "1")]);
    assert_eq!(store.len(), 1);
    // The other side of the same call under the same id is another one.
    store.add(vec![span("t", "1", "", Kind::Client, "b", 1, 1)]);
    assert_eq!(store.len(), 2);
}

#[test]
fn every_change_is_a_new_revision_and_no_change_is_none() {
    let store = Store::new(10);
    assert_eq!(store.counts().revision, 0);
    store.add(Vec::new());
    assert_eq!(store.counts().revision, 0);
    store.add(vec![small("t", "1")]);
    assert_eq!(store.counts().revision, 1);
}

#[test]
fn many_threads_can_add_at_once() {
    let store = Store::new(10_000);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let store = &store;
            scope.spawn(move || {
                for n in 0..100 {
                    store.add(vec![small(&format!("t{n}"), &format!("{thread}-{n}"))]);
                }
            });
        }
    });
    assert_eq!((store.len(), store.counts().traces), (800, 100));
}

//! Calls without a scope are counted and reported. One process, one test: the counters are the process's.
#![cfg(feature = "diagnostics")]

use std::sync::{Arc, Mutex};

use onward::{Destination, diagnostics};

#[test]
fn a_call_without_a_scope_is_counted_once_the_process_serves_requests() {
    let reported = Arc::new(Mutex::new(Vec::new()));
    let log = reported.clone();
    assert!(diagnostics::on_call_without_scope(move |destination| {
        log.lock().expect("no poison").push(destination.to_string());
        // A report that is sent over the network does not report itself.
        onward::inject_to(&Destination::parse("http://logs:9080/"), &mut http::HeaderMap::new());
    }));
    assert!(!diagnostics::on_call_without_scope(|_| {}));
    let call = || {
        let mut outbound = http::HeaderMap::new();
        onward::inject_to(&Destination::parse("http://ratings:9080/ratings/0?secret=1"), &mut outbound);
    };

    // At start, before the first request.
    call();
    assert_eq!(diagnostics::calls_without_scope(), 0);

    // In a request, even one that brought no headers.
    let scope = onward::enter(onward::get_forward_headers(&[("accept", "*/*")]));
    call();
    assert_eq!(diagnostics::calls_without_scope(), 0);

    // In a thread that the handler starts without `carry_fn`, and with it.
    std::thread::spawn(call).join().expect("the thread ends");
    assert_eq!(diagnostics::calls_without_scope(), 1);
    std::thread::spawn(onward::carry_fn(call)).join().expect("the thread ends");
    assert_eq!(diagnostics::calls_without_scope(), 1);

    drop(scope);
    call();
    assert_eq!(diagnostics::calls_without_scope(), 2);
    assert_eq!(*reported.lock().expect("no poison"), ["ratings", "ratings"]);
}

//! Rule R11: headers of one request never reach another.
//!
//! Thousands of requests with headers of their own are interleaved at every step; each looks at what it would send
//! again and again. The negative controls are mistakes that a program can make: the same check must see them.
#![allow(clippy::expect_used, reason = "helpers of tests, outside of any #[test] function")]

use std::future::Future;
use std::sync::{Arc, Mutex};

use onward::{Destination, ForwardHeaders, Propagator};
use tokio::task::{JoinSet, LocalSet, yield_now};

const REQUESTS: usize = 4_000;
const STEPS: usize = 8;

/// What one request carries: its number in headers of every class, one of them repeated.
fn inbound(id: usize) -> Vec<(String, String)> {
    [
        ("x-request-id", format!("request-{id}")),
        ("traceparent", format!("00-{id:032x}-{id:016x}-01")),
        ("tracestate", format!("a={id}")),
        ("tracestate", format!("b={id}")),
        ("end-user", format!("user-{id}")),
        ("cookie", format!("session={id}")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn capture(id: usize) -> ForwardHeaders {
    Propagator::default().extract(&inbound(id))
}

/// What an outbound call would carry if these were the current headers.
fn outbound(headers: &ForwardHeaders) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    headers.inject_to(&Destination::parse("http://reviews:9080/"), &mut lines);
    lines
}

/// A handler that makes calls and gives way to the others between them. Counts the calls that were wrong.
async fn handle(id: usize, current: impl Fn() -> ForwardHeaders) -> usize {
    let expected = inbound(id);
    let mut wrong = 0;
    for step in 0..STEPS {
        wrong += usize::from(outbound(&current()) != expected);
        for _ in 0..=(id + step) % 3 {
            yield_now().await;
        }
    }
    wrong
}

/// Runs all requests at the same time and counts the wrong calls.
async fn interleave<F: Future<Output = usize> + Send + 'static>(request: impl Fn(usize) -> F) -> usize {
    let mut requests: JoinSet<usize> = (0..REQUESTS).map(request).collect();
    let mut wrong = 0;
    while let Some(calls) = requests.join_next().await {
        wrong += calls.expect("the request ends");
    }
    wrong
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn interleaved_requests_send_their_own_headers() {
    let wrong = interleave(|id| onward::in_scope(capture(id), handle(id, onward::current))).await;
    assert_eq!(wrong, 0, "of {} calls", REQUESTS * STEPS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn spawned_tasks_and_blocking_threads_send_the_headers_they_carry() {
    let wrong = interleave(|id| {
        onward::in_scope(capture(id), async move {
            let task = tokio::spawn(onward::carry(handle(id, onward::current)));
            let thread = tokio::task::spawn_blocking(onward::carry_fn(move || {
                usize::from(outbound(&onward::current()) != inbound(id))
            }));
            let here = handle(id, onward::current).await;
            here + task.await.expect("the task ends") + thread.await.expect("the thread ends")
        })
    })
    .await;
    assert_eq!(wrong, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn futures_polled_by_one_task_keep_their_own_headers() {
    let wrong = interleave(|id| {
        let other = id + REQUESTS;
        onward::in_scope(capture(id), async move {
            let inner = onward::in_scope(capture(other), handle(other, onward::current));
            let (outer, inner) = tokio::join!(handle(id, onward::current), inner);
            outer + inner
        })
    })
    .await;
    assert_eq!(wrong, 0);
}

#[test]
fn requests_one_after_the_other_on_pooled_threads_send_their_own_headers() {
    let wrong: usize = std::thread::scope(|threads| {
        let workers: Vec<_> = (0..8)
            .map(|worker| {
                threads.spawn(move || {
                    let mut wrong = 0;
                    for id in (worker..REQUESTS).step_by(8) {
                        let scope = onward::enter(capture(id));
                        wrong += usize::from(outbound(&onward::current()) != inbound(id));
                        drop(scope);
                        wrong += usize::from(!onward::current().is_empty());
                    }
                    wrong
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().expect("the worker ends")).sum()
    });
    assert_eq!(wrong, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn what_is_not_carried_has_no_headers() {
    let wrong = interleave(|id| {
        onward::in_scope(capture(id), async {
            let bare = tokio::spawn(async {
                yield_now().await;
                usize::from(!onward::current().is_empty())
            });
            bare.await.expect("the task ends")
        })
    })
    .await;
    assert_eq!(wrong, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn requests_that_fail_or_are_cancelled_leave_nothing_behind() {
    let mut requests = JoinSet::new();
    for id in 0..REQUESTS {
        let request = onward::in_scope(capture(id), async move {
            let wrong = handle(id, onward::current).await;
            // Ends this request the hard way, without a panic's message for each of thousands.
            if id % 2 == 0 { std::panic::resume_unwind(Box::new("the handler failed")) } else { wrong }
        });
        let handle = requests.spawn(request);
        if id % 5 == 0 {
            handle.abort();
        }
        // In between, work that belongs to no request, on the same threads.
        requests.spawn(async {
            yield_now().await;
            usize::from(!onward::current().is_empty())
        });
    }
    let (mut wrong, mut failed) = (0, 0);
    while let Some(request) = requests.join_next().await {
        match request {
            Ok(calls) => wrong += calls,
            Err(_) => failed += 1,
        }
    }
    assert_eq!(wrong, 0);
    assert!(failed >= REQUESTS / 2, "only {failed} requests failed");
}

/// Negative control: one place for the headers of all requests, as a global variable would be.
#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn a_shared_place_is_seen_to_mix_requests_up() {
    let shared = Arc::new(Mutex::new(ForwardHeaders::default()));
    let wrong = interleave(|id| {
        let shared = shared.clone();
        async move {
            *shared.lock().expect("no poison") = capture(id);
            handle(id, || shared.lock().expect("no poison").clone()).await
        }
    })
    .await;
    assert!(wrong > REQUESTS, "only {wrong} calls were seen to be wrong");
}

/// Negative control: the guard for sync code, held across `.await`, which the compiler refuses wherever tasks move
/// between threads. On one thread it compiles, and the requests get mixed up.
#[tokio::test]
async fn a_guard_held_across_await_is_seen_to_mix_requests_up() {
    let local = LocalSet::new();
    let requests: Vec<_> = (0..100)
        .map(|id| {
            local.spawn_local(async move {
                let _scope = onward::enter(capture(id));
                handle(id, onward::current).await
            })
        })
        .collect();
    local.await;
    let mut wrong = 0;
    for request in requests {
        wrong += request.await.expect("the request ends");
    }
    assert!(wrong > 100, "only {wrong} calls were seen to be wrong");
}

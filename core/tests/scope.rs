//! The scope survives real code: each line of the table in docs/scope.md is one test.
//!
//! A test shows what is carried by itself, or that `carry` carries it and that without `carry` there is nothing: the
//! negative control of its line.
#![allow(clippy::expect_used, reason = "helpers of tests, outside of any #[test] function")]

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use futures::stream::{FuturesUnordered, StreamExt};
use onward::ForwardHeaders;
use tokio::sync::{Barrier, mpsc, oneshot};
use tokio::task::{JoinSet, LocalSet, spawn_blocking, yield_now};

fn headers(id: &str) -> ForwardHeaders {
    onward::get_forward_headers(&[("x-request-id", id)])
}

/// What an outbound call would carry here: the request's id, or nothing.
fn id() -> String {
    let mut outbound = http::HeaderMap::new();
    onward::inject_to(&onward::Destination::parse("http://ratings:9080/"), &mut outbound);
    outbound.get("x-request-id").map_or_else(String::new, |id| String::from_utf8_lossy(id.as_bytes()).into())
}

/// The same behind an await, so that the future is polled more than once.
async fn later() -> String {
    yield_now().await;
    id()
}

/// Runs a handler as the request `a`.
async fn request<T>(handler: impl Future<Output = T>) -> T {
    onward::in_scope(headers("a"), handler).await
}

#[tokio::test]
async fn an_awaited_future_has_the_scope_by_itself() {
    async fn deeper(depth: u32) -> String {
        if depth == 0 { later().await } else { Box::pin(deeper(depth - 1)).await }
    }
    assert_eq!(request(deeper(3)).await, "a");
    assert_eq!(deeper(3).await, "");
}

#[tokio::test]
async fn join_has_the_scope_by_itself() {
    let seen = request(async { tokio::join!(later(), later(), async { futures::join!(later(), later()) }) });
    assert_eq!(seen.await, ("a".into(), "a".into(), ("a".into(), "a".into())));
    assert_eq!(tokio::join!(later(), later()), (String::new(), String::new()));
}

#[tokio::test]
async fn select_has_the_scope_by_itself() {
    let seen = request(async {
        tokio::select! {
            biased;
            () = std::future::pending() => "the wrong branch".to_owned(),
            seen = later() => seen + &id(),
        }
    });
    assert_eq!(seen.await, "aa");
}

#[tokio::test]
async fn futures_unordered_and_buffered_streams_have_the_scope_by_itself() {
    let seen: Vec<String> = request((0..3).map(|_| later()).collect::<FuturesUnordered<_>>().collect()).await;
    assert_eq!(seen, ["a", "a", "a"]);
    let calls = futures::stream::iter(0..3).map(|_| later()).buffer_unordered(2);
    assert_eq!(request(calls.collect::<Vec<_>>()).await, ["a", "a", "a"]);
    assert_eq!((0..1).map(|_| later()).collect::<FuturesUnordered<_>>().collect::<Vec<_>>().await, [""]);
}

#[tokio::test]
async fn a_timeout_has_the_scope_by_itself() {
    let patience = std::time::Duration::from_secs(60);
    assert_eq!(request(tokio::time::timeout(patience, later())).await, Ok("a".into()));
}

#[tokio::test]
async fn sync_code_has_the_scope_by_itself_and_a_scoped_thread_needs_carry_fn() {
    // Sync code that is called is in the scope; a thread that it starts is not.
    let seen = request(async {
        let called = id();
        let started = std::thread::scope(|scope| scope.spawn(id).join().expect("the thread ends"));
        let carried =
            std::thread::scope(|scope| scope.spawn(onward::carry_fn(id)).join().expect("the thread ends"));
        [called, started, carried]
    });
    assert_eq!(seen.await, ["a", "", "a"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn block_in_place_has_the_scope_by_itself() {
    assert_eq!(request(async { tokio::task::block_in_place(id) }).await, "a");
}

/// What Tokio's two runtimes have in common.
async fn spawned_tasks() {
    let seen = request(async {
        let bare = tokio::spawn(later()).await.expect("the task ends");
        let carried = tokio::spawn(onward::carry(later())).await.expect("the task ends");
        [bare, carried]
    });
    assert_eq!(seen.await, ["", "a"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_spawned_task_needs_carry_on_many_threads() {
    spawned_tasks().await;
}

#[tokio::test]
async fn a_spawned_task_needs_carry_on_one_thread() {
    spawned_tasks().await;
}

#[tokio::test]
async fn a_task_spawned_by_a_carried_task_needs_carry_again() {
    let seen = request(async {
        let task = tokio::spawn(onward::carry(async {
            let bare = tokio::spawn(later()).await.expect("the task ends");
            let carried = tokio::spawn(onward::carry(later())).await.expect("the task ends");
            [bare, carried]
        }));
        task.await.expect("the task ends")
    });
    assert_eq!(seen.await, ["", "a"]);
}

#[tokio::test]
async fn a_carried_task_has_the_scope_when_the_handler_is_long_done() {
    let (go, wait) = oneshot::channel::<()>();
    let mut tasks = JoinSet::new();
    request(async {
        tasks.spawn(onward::carry(async {
            wait.await.expect("the word");
            later().await
        }));
    })
    .await;
    go.send(()).expect("the task waits");
    assert_eq!(tasks.join_all().await, ["a"]);
}

#[tokio::test]
async fn a_local_task_needs_carry() {
    let local = LocalSet::new();
    let tasks = onward::enter(headers("a"));
    let bare = local.spawn_local(later());
    let carried = local.spawn_local(onward::carry(later()));
    drop(tasks);
    local.await;
    assert_eq!([bare.await.expect("it ends"), carried.await.expect("it ends")], ["", "a"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_join_set_needs_carry() {
    let seen = request(async {
        let mut tasks = JoinSet::new();
        tasks.spawn(later());
        tasks.spawn(onward::carry(later()));
        tasks.spawn_blocking(onward::carry_fn(id));
        let mut seen = tasks.join_all().await;
        seen.sort();
        seen
    });
    assert_eq!(seen.await, ["", "a", "a"]);
}

#[tokio::test]
async fn a_blocking_thread_needs_carry_fn() {
    let seen = request(async {
        let bare = spawn_blocking(id).await.expect("the thread ends");
        let carried = spawn_blocking(onward::carry_fn(id)).await.expect("the thread ends");
        let bare_again = spawn_blocking(id).await.expect("the thread ends");
        [bare, carried, bare_again]
    });
    assert_eq!(seen.await, ["", "a", ""]);
}

#[test]
fn a_thread_needs_carry_fn() {
    let _scope = onward::enter(headers("a"));
    let bare = std::thread::spawn(id).join().expect("the thread ends");
    let carried = std::thread::spawn(onward::carry_fn(id)).join().expect("the thread ends");
    assert_eq!([bare, carried], ["", "a"]);
}

#[test]
fn a_rayon_pool_needs_carry_fn() {
    use rayon::prelude::*;

    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("a pool");
    let _scope = onward::enter(headers("a"));
    assert_eq!([pool.install(id), pool.install(onward::carry_fn(id))], ["", "a"]);
    // Parallel iterators take their closure by reference, so each item enters the scope.
    let carried = onward::current();
    let seen: Vec<String> = pool.install(|| {
        (0..64)
            .into_par_iter()
            .map(|_| {
                let _scope = onward::enter(carried.clone());
                id()
            })
            .collect()
    });
    assert!(seen.iter().all(|id| id == "a"));
    assert_eq!(pool.install(|| (0..64).into_par_iter().map(|_| id()).collect::<String>()), "");
}

#[tokio::test]
async fn a_message_in_a_channel_takes_its_requests_headers_along_as_a_value() {
    let (jobs, mut queue) = mpsc::channel::<(u32, ForwardHeaders)>(4);
    let worker = tokio::spawn(async move {
        let mut seen = Vec::new();
        while let Some((job, headers)) = queue.recv().await {
            // Before: the worker is in no request. Then: in that of the job.
            seen.push((job, id(), onward::in_scope(headers, later()).await));
        }
        seen
    });
    for (job, request) in [(1, "a"), (2, "b")] {
        let send = async { jobs.send((job, onward::current())).await.expect("the worker listens") };
        onward::in_scope(headers(request), send).await;
    }
    drop(jobs);
    let seen = worker.await.expect("the worker ends");
    assert_eq!(seen, [(1, String::new(), "a".into()), (2, String::new(), "b".into())]);
}

#[tokio::test]
async fn a_closure_sent_through_a_channel_needs_carry_fn() {
    let (jobs, queue) = std::sync::mpsc::channel::<Box<dyn FnOnce() -> String + Send>>();
    let worker = std::thread::spawn(move || queue.into_iter().map(|job| job()).collect::<Vec<_>>());
    request(async {
        jobs.send(Box::new(id)).expect("the worker listens");
        jobs.send(Box::new(onward::carry_fn(id))).expect("the worker listens");
    })
    .await;
    drop(jobs);
    assert_eq!(worker.join().expect("the worker ends"), ["", "a"]);
}

#[cfg(feature = "stream")]
#[tokio::test]
async fn a_stream_that_outlives_the_handler_needs_carry_stream() {
    let pages = || futures::stream::iter(0..2).then(|_| later());
    let (bare, carried) = request(async { (pages(), onward::carry_stream(pages())) }).await;
    assert_eq!(bare.collect::<Vec<_>>().await, ["", ""]);
    assert_eq!(carried.collect::<Vec<_>>().await, ["a", "a"]);
    assert_eq!(id(), "");
}

#[cfg(feature = "http-body")]
#[tokio::test]
async fn a_response_body_that_outlives_the_handler_needs_carry_body() {
    use http_body_util::{BodyExt, StreamBody};

    let body = || {
        let frames = futures::stream::iter(0..2).then(|_| later());
        StreamBody::new(frames.map(|id| Ok::<_, String>(http_body::Frame::data(bytes::Bytes::from(id)))))
    };
    let (bare, carried) = request(async { (body(), onward::carry_body(body())) }).await;
    assert_eq!(BodyExt::collect(bare).await.expect("a body").to_bytes(), "");
    assert_eq!(BodyExt::collect(carried).await.expect("a body").to_bytes(), "aa");
}

#[tokio::test]
async fn a_future_that_a_handler_gives_back_needs_carry() {
    let (bare, carried) = request(async { (later(), onward::carry(later())) }).await;
    assert_eq!([bare.await, carried.await], ["", "a"]);
}

#[tokio::test]
async fn cancellation_leaves_nothing_behind() {
    let mut handler = Box::pin(request(async {
        assert_eq!(id(), "a");
        std::future::pending::<()>().await;
    }));
    assert!(futures::poll!(&mut handler).is_pending());
    assert_eq!(id(), "");
    drop(handler);
    assert_eq!(id(), "");

    let started = Arc::new(Barrier::new(2));
    let inside = started.clone();
    let task = tokio::spawn(request(async move {
        inside.wait().await;
        std::future::pending::<()>().await;
    }));
    started.wait().await;
    task.abort();
    assert!(task.await.expect_err("it was cancelled").is_cancelled());
    assert_eq!(tokio::spawn(later()).await.expect("the task ends"), "");
}

/// A destructor that calls somebody: what is dropped unfinished is in no scope.
#[tokio::test]
async fn a_destructor_has_the_scope_only_while_the_handler_runs() {
    struct Farewell(std::sync::mpsc::Sender<String>);
    impl Drop for Farewell {
        fn drop(&mut self) {
            drop(self.0.send(id()));
        }
    }
    let (send, received) = std::sync::mpsc::channel();
    let finished = Farewell(send.clone());
    request(async move { drop(finished) }).await;
    assert_eq!(received.recv().expect("a farewell"), "a");
    let unfinished = Farewell(send);
    let mut handler = Box::pin(request(async move {
        let _unfinished = unfinished;
        std::future::pending::<()>().await;
    }));
    assert!(futures::poll!(&mut handler).is_pending());
    drop(handler);
    assert_eq!(received.recv().expect("a farewell"), "");
}

#[tokio::test]
async fn a_panic_in_a_handler_leaves_nothing_behind() {
    use futures::FutureExt;

    // Unwinds without the message of a panic that a test's reader would wonder about.
    let handler = request(async {
        yield_now().await;
        std::panic::resume_unwind(Box::new(id()))
    });
    let result: Result<(), _> = AssertUnwindSafe(handler).catch_unwind().await;
    let payload = result.expect_err("it panicked");
    assert_eq!(payload.downcast_ref::<String>().map(String::as_str), Some("a"));
    assert_eq!(id(), "");
    assert_eq!(onward::in_scope(headers("b"), later()).await, "b");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_handler_that_moves_between_threads_keeps_its_scope() {
    let mut requests = JoinSet::new();
    for number in 0..64 {
        let name = format!("request-{number}");
        requests.spawn(onward::in_scope(headers(&name), async move {
            let mut wrong = 0;
            for _ in 0..100 {
                wrong += usize::from(later().await != name);
            }
            wrong
        }));
    }
    assert_eq!(requests.join_all().await.into_iter().sum::<usize>(), 0);
}

#[test]
fn actix_rt_needs_carry_for_what_is_spawned() {
    let seen = actix_rt::System::new().block_on(request(async {
        let here = later().await;
        let bare = actix_rt::spawn(later()).await.expect("the task ends");
        let carried = actix_rt::spawn(onward::carry(later())).await.expect("the task ends");
        let blocking = actix_rt::task::spawn_blocking(onward::carry_fn(id)).await.expect("the thread ends");
        let (send, other) = oneshot::channel();
        let arbiter = actix_rt::Arbiter::new();
        arbiter.spawn(onward::carry(async move { drop(send.send(later().await)) }));
        let other = other.await.expect("the arbiter answers");
        arbiter.stop();
        [here, bare, carried, blocking, other]
    }));
    assert_eq!(seen, ["a", "", "a", "a", "a"]);
}

#[test]
fn smol_needs_carry_for_what_is_spawned() {
    async fn later() -> String {
        smol::future::yield_now().await;
        id()
    }
    let seen = smol::block_on(request(async {
        let here = later().await;
        let bare = smol::spawn(later()).await;
        let carried = smol::spawn(onward::carry(later())).await;
        let blocking = smol::unblock(onward::carry_fn(id)).await;
        let local = smol::LocalExecutor::new();
        let on_local = local.run(local.spawn(onward::carry(later()))).await;
        [here, bare, carried, blocking, on_local]
    }));
    assert_eq!(seen, ["a", "", "a", "a", "a"]);
}

/// Its tasks are polled by the handler, so they are in its scope, whoever spawned them.
#[tokio::test]
async fn an_executor_that_the_handler_drives_has_the_scope_by_itself() {
    let local = LocalSet::new();
    let spawned_before = local.spawn_local(later());
    let seen = request(local.run_until(async {
        let spawned_inside = tokio::task::spawn_local(later()).await.expect("the task ends");
        [spawned_before.await.expect("the task ends"), spawned_inside]
    }));
    assert_eq!(seen.await, ["a", "a"]);
}

#[tokio::test]
async fn a_closure_made_into_a_handler_has_its_requests_scope() {
    let handler = onward::propagated(|request: http::HeaderMap| {
        let before = id();
        async move { (request.len(), before, later().await) }
    });
    let mut request = http::HeaderMap::new();
    request.insert("x-request-id", http::HeaderValue::from_static("a"));
    request.insert("accept", http::HeaderValue::from_static("*/*"));
    assert_eq!(handler.clone()(request.clone()).await, (2, "a".into(), "a".into()));
    assert_eq!(handler(http::HeaderMap::new()).await, (0, String::new(), String::new()));
    assert_eq!(onward::propagated_fn(|_: http::HeaderMap| id())(request), "a");
    assert_eq!(id(), "");
}

#[test]
fn carrying_moves_between_threads() {
    fn sends<T: Send + 'static>(_: T) {}
    fn boxed() -> Pin<Box<dyn Future<Output = String> + Send>> {
        Box::pin(later())
    }
    sends(onward::carry(later()));
    sends(onward::carry(boxed()));
    sends(onward::carry_fn(id));
}

/// Each test has its line in the table, and each line its test.
#[test]
fn the_table_and_the_tests_are_the_same() {
    let code = include_str!("scope.rs");
    let page = include_str!("../../docs/scope.md");
    let tests: Vec<&str> = code
        .split("\n}\n")
        .filter(|item| item.contains("#[test]") || item.contains("#[tokio::test"))
        .filter_map(|item| item.split("fn ").find_map(|rest| rest.split_once("() {").map(|(name, _)| name)))
        .filter(|name| *name != "the_table_and_the_tests_are_the_same")
        .collect();
    assert!(tests.len() > 25, "only {tests:?}");
    for test in &tests {
        assert!(page.contains(&format!("`{test}`")), "docs/scope.md has no line for {test}");
    }
    for line in page.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let test = line.rsplit('`').nth(1).unwrap_or_default();
        assert!(tests.contains(&test), "there is no test {test}: {line}");
    }
}

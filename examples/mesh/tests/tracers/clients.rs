//! B3 that a client sends, in the spellings that there are: joined or switched off, with nothing lost on the way.

use std::time::Duration;

use axum::http::HeaderMap;
use onward_mesh::{
    collector::{store::Store, trace::Trace},
    runner::{Mesh, Options},
    settle,
    tracer::Tracer,
};

use super::support::{HOPS, Seen, chain, options, start, visit};

const TRACE: &str = "80f198ee56343ba864fe8b2a57d3eff7";
const SHORT: &str = "463ac35c9f6413ad";
const SPAN: &str = "e457b5a2e4d86bd1";

/// A mesh with Zipkin's tracer, and what back received.
async fn mesh(sampling: f64, forwarding: bool) -> (Mesh, Seen) {
    let seen = Seen::default();
    let options = Options { sampling, forwarding, ..options(Some(Tracer::Zipkin)) };
    (start(&chain("", &seen), &options).await, seen)
}

/// Sends a request with these headers; returns what back received.
async fn send((mesh, seen): &(Mesh, Seen), headers: &[(&str, &str)]) -> HeaderMap {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    visit(mesh, &headers, seen).await
}

/// Waits for the spans of one traced request more than was sent: what was sent before is reported before.
async fn settled(mesh: &(Mesh, Seen), traced: usize) {
    send(mesh, &[("b3", "00000000000000aa-00000000000000bb-1")]).await;
    let expected = (traced + 1) * HOPS;
    let store = mesh.0.store();
    let flush = Tracer::Zipkin.flush_interval();
    let arrived = settle::wait_for_spans(store, expected, flush, Duration::from_secs(30)).await;
    assert_eq!(arrived, expected);
}

/// One trace of four spans, of which the gateway's is the child of the client's.
fn is_joined(store: &Store, trace: &str) {
    let trace = store.trace(trace).unwrap();
    assert_eq!(trace.spans.len(), HOPS);
    let [gateway] = trace.missing_parents()[..] else { panic!("{trace:?}") };
    assert_eq!((gateway.service.as_str(), gateway.parent_id.as_deref()), ("gateway", Some(SPAN)));
    assert!(trace.roots().is_empty());
}

fn b3(headers: &HeaderMap) -> Vec<&str> {
    headers.keys().map(axum::http::HeaderName::as_str).filter(|name| name.contains("b3")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b3_single_is_joined_and_stays_single() {
    let mesh = mesh(100.0, true).await;
    let at_back = send(&mesh, &[("b3", &format!("{TRACE}-{SPAN}-1"))]).await;
    settled(&mesh, 1).await;
    is_joined(mesh.0.store(), TRACE);
    assert_eq!(b3(&at_back), ["b3"]);
    let value = at_back["b3"].to_str().unwrap();
    assert!(value.starts_with(&format!("{TRACE}-")), "{value}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b3_single_is_cut_without_forwarding() {
    let mesh = mesh(100.0, false).await;
    send(&mesh, &[("b3", &format!("{TRACE}-{SPAN}-1"))]).await;
    settled(&mesh, 1).await;
    assert_eq!(mesh.0.store().trace(TRACE).unwrap().spans.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b3_multi_is_joined_with_64_bits_in_upper_case_and_with_the_debug_flag() {
    let mesh = mesh(100.0, true).await;
    let (upper, upper_span) = (TRACE.to_uppercase(), SPAN.to_uppercase());
    let ids = |trace, span| [("x-b3-traceid", trace), ("x-b3-spanid", span)];
    let short = send(&mesh, &[&ids(SHORT, SPAN)[..], &[("x-b3-sampled", "1")]].concat()).await;
    let upper = send(&mesh, &[&ids(&upper, &upper_span)[..], &[("x-b3-sampled", "1")]].concat()).await;
    let debug = "5af7183fb1d4cf5f";
    let flags = send(&mesh, &[&ids(debug, SPAN)[..], &[("x-b3-flags", "1")]].concat()).await;
    settled(&mesh, 3).await;
    for trace in [SHORT, TRACE, debug] {
        is_joined(mesh.0.store(), trace);
    }
    // Envoy writes what it has read: 16 digits stay 16, and lower case.
    assert_eq!(short["x-b3-traceid"], SHORT);
    assert_eq!(upper["x-b3-traceid"], TRACE);
    // It neither reads nor writes the flag: that comes through by Onward alone.
    assert_eq!(
        (&flags["x-b3-flags"], &flags["x-b3-sampled"]),
        (&"1".parse().unwrap(), &"1".parse().unwrap())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deny_switches_every_hop_off() {
    let mesh = mesh(100.0, true).await;
    let denied = [
        send(&mesh, &[("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN), ("x-b3-sampled", "0")]).await,
        // Envoy's sampled is 1, true or no.
        send(&mesh, &[("x-b3-traceid", SHORT), ("x-b3-spanid", SPAN), ("x-b3-sampled", "d")]).await,
        send(&mesh, &[("x-b3-sampled", "0")]).await,
    ];
    let single = send(&mesh, &[("b3", "0")]).await;
    settled(&mesh, 0).await;
    assert!(denied.iter().all(|headers| headers["x-b3-sampled"] == "0"), "{denied:?}");
    assert_eq!(
        (&denied[0]["x-b3-traceid"], &denied[1]["x-b3-traceid"]),
        (&TRACE.parse().unwrap(), &SHORT.parse().unwrap())
    );
    assert_eq!(single["b3"].to_str().unwrap().split('-').nth(2), Some("0"), "{single:?}");
    assert_eq!(ids(mesh.0.store()), ["000000000000000000000000000000aa"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deny_is_forgotten_at_the_first_service_without_forwarding() {
    let mesh = mesh(100.0, false).await;
    let denied = [("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN), ("x-b3-sampled", "0")];
    let at_back = send(&mesh, &denied).await;
    assert_eq!(at_back["x-b3-sampled"], "1");
    // The call to back has begun a trace; the two hops before it are in none.
    let trace = format!("{:0>32}", at_back["x-b3-traceid"].to_str().unwrap());
    settle::wait_for_spans(mesh.0.store(), 2, Tracer::Zipkin.flush_interval(), Duration::from_secs(30)).await;
    assert_eq!(ids(mesh.0.store()), [trace.as_str()]);
    assert_eq!(mesh.0.store().trace(&trace).unwrap().spans.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mesh_that_samples_nothing_traces_what_a_client_debugs_or_samples() {
    let mesh = mesh(0.0, true).await;
    let debug = send(&mesh, &[("b3", &format!("{TRACE}-{SPAN}-d"))]).await;
    send(&mesh, &[("x-b3-traceid", SHORT), ("x-b3-spanid", SPAN), ("x-b3-sampled", "1")]).await;
    // Deferred, and Envoy decides: no.
    let deferred =
        send(&mesh, &[("x-b3-traceid", "5af7183fb1d4cf5f"), ("x-b3-spanid", SPAN), ("x-b3-flags", "1")])
            .await;
    settled(&mesh, 2).await;
    is_joined(mesh.0.store(), TRACE);
    is_joined(mesh.0.store(), SHORT);
    assert!(debug["b3"].to_str().unwrap().starts_with(TRACE), "{debug:?}");
    assert_eq!(deferred["x-b3-sampled"], "0");
}

fn ids(store: &Store) -> Vec<String> {
    store.traces().into_iter().map(|Trace { id, .. }| id).collect()
}

//! Headers of tracers that Envoy no longer has: through Envoys that trace nothing to the leaf, byte for byte.

use axum::http::HeaderValue;
use onward_mesh::runner::Options;

use super::support::{Seen, chain, options, start, visit};

/// Lightstep's and Stackdriver's, with the bytes that tempt a proxy or a forwarder to mend them.
const SENT: [(&str, &[u8]); 7] = [
    ("x-ot-span-context", b"CigKDgj/\xe9+/==\tEgYIgIDAyA0=  ;x"),
    ("ot-tracer-traceid", b"463AC35c9f6413ad"),
    ("ot-tracer-spanid", b"a2fb4a1d1a96d312"),
    ("ot-tracer-sampled", b"TRUE"),
    ("x-cloud-trace-context", b"105445AA7843bc8bf206b12000100000/0018374686479671624803;o=1"),
    // With its padding, which senders of gRPC leave out.
    ("grpc-trace-bin", b"AABL+S81d7NNpqPOkp0ADkc2ATTwZ6oLqQK3AgE="),
    ("traceparent", b"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff-what-comes-later"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_of_lightstep_and_stackdriver_arrive_byte_for_byte() {
    let seen = Seen::default();
    let mesh = start(&chain("+ot-tracer-*", &seen), &options(None)).await;
    let at_back = visit(&mesh, &SENT, &seen).await;
    for (name, value) in SENT {
        let received: Vec<_> = at_back.get_all(name).iter().map(HeaderValue::as_bytes).collect();
        assert_eq!(received, [value], "{name}");
    }
    assert!(mesh.store().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_forwarding_switched_off_none_of_them_arrives() {
    let seen = Seen::default();
    let options = Options { forwarding: false, ..options(None) };
    let mesh = start(&chain("+ot-tracer-*", &seen), &options).await;
    let at_back = visit(&mesh, &SENT, &seen).await;
    assert!(SENT.iter().all(|(name, _)| !at_back.contains_key(*name)), "{at_back:?}");
}

//! The inbound requests that are measured: S as curl sends it through Envoy, L as a browser sends it through an Istio
//! ingress.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

/// 12 headers, of which 6 are forwarded.
pub const S: &[(&str, &str)] = &[
    ("host", "productpage:9080"),
    ("user-agent", "curl/8.5.0"),
    ("accept", "*/*"),
    ("x-forwarded-proto", "http"),
    ("x-request-id", "8f2c1a4e-6d3b-9f7a-8c21-0b5e9d4f3a76"),
    ("x-envoy-attempt-count", "1"),
    ("x-envoy-internal", "true"),
    ("x-b3-traceid", "463ac35c9f6413ad48485a3953bb6124"),
    ("x-b3-spanid", "a2fb4a1d1a96d312"),
    ("x-b3-parentspanid", "0020000000000001"),
    ("x-b3-sampled", "1"),
    ("x-forwarded-client-cert", "By=spiffe://cluster.local/ns/default/sa/bookinfo-productpage;Hash=1f2e"),
];

/// 32 headers, of which 12 are forwarded.
pub const L: &[(&str, &str)] = &[
    ("host", "bookinfo.example.com"),
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    ),
    ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("accept-language", "en-GB,en;q=0.9,de;q=0.8"),
    ("cache-control", "max-age=0"),
    ("sec-ch-ua", "\"Chromium\";v=\"142\", \"Not_A Brand\";v=\"99\""),
    ("sec-ch-ua-mobile", "?0"),
    ("sec-ch-ua-platform", "\"Linux\""),
    ("sec-fetch-dest", "document"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-site", "same-origin"),
    ("sec-fetch-user", "?1"),
    ("upgrade-insecure-requests", "1"),
    ("referer", "https://bookinfo.example.com/productpage?u=normal"),
    ("priority", "u=0, i"),
    ("x-forwarded-for", "10.244.0.1"),
    ("x-forwarded-proto", "https"),
    ("x-envoy-attempt-count", "1"),
    (
        "x-envoy-peer-metadata-id",
        "router~10.244.0.7~istio-ingressgateway-7d9f8~istio-system.svc.cluster.local",
    ),
    ("x-request-id", "8f2c1a4e-6d3b-9f7a-8c21-0b5e9d4f3a76"),
    ("traceparent", "00-463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-01"),
    ("tracestate", "istio=1,vendor=a2fb4a1d1a96d312"),
    ("baggage", "tenant=blue,plan=pro"),
    ("x-b3-traceid", "463ac35c9f6413ad48485a3953bb6124"),
    ("x-b3-spanid", "a2fb4a1d1a96d312"),
    ("x-b3-sampled", "1"),
    ("cookie", "session=eyJ1c2VyIjoiamFzb24ifQ.aSE8Zw.5mJwq1Zl0o8xkq0bq2yq3l4m5n6; theme=dark; consent=all"),
    (
        "authorization",
        "Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJ0ZXN0aW5nQHNlY3VyZS5pc3Rpby5pbyJ9.c2lnbmF0dXJl",
    ),
    ("end-user", "jason"),
    ("x-tenant-id", "blue"),
    ("x-forwarded-client-cert", "By=spiffe://cluster.local/ns/default/sa/bookinfo-productpage;Hash=1f2e"),
];

/// Both, by the names that the results have.
pub const FIXTURES: &[(&str, &[(&str, &str)])] = &[("S", S), ("L", L)];

/// As many maps, so that no contender reads the same one again and again from the processor's nearest cache.
pub const RING: u32 = 16;

/// The request as hyper gives it, over and over: every value is a slice of one shared read buffer.
pub fn ring(headers: &[(&'static str, &str)]) -> Vec<HeaderMap> {
    (0..RING).map(|_| map(headers)).collect()
}

fn map(headers: &[(&'static str, &str)]) -> HeaderMap {
    let buffer = Bytes::from(headers.iter().map(|(_, value)| *value).collect::<String>());
    let mut start = 0;
    headers
        .iter()
        .filter_map(|(name, value)| {
            let slice = buffer.slice(start..start + value.len());
            start += value.len();
            Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_maybe_shared(slice).ok()?))
        })
        .collect()
}

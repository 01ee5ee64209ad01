//! A user of the crates as they are published: what comes in goes on, and nothing else does.

use http::HeaderMap;

#[onward::propagate(except = "cookie")]
fn handler(inbound: HeaderMap) -> HeaderMap {
    assert_eq!(inbound.len(), 3);
    let mut outbound = HeaderMap::new();
    onward::current().inject(&mut outbound);
    outbound
}

fn main() {
    let mut inbound = HeaderMap::new();
    for (name, value) in [("x-request-id", "7f6c"), ("cookie", "session=1"), ("accept", "*/*")] {
        inbound.insert(name, value.parse().expect("a value"));
    }
    let outbound = handler(inbound);
    assert_eq!(outbound["x-request-id"], "7f6c");
    assert_eq!(outbound.len(), 1);
    assert!(onward::current().is_empty());
}

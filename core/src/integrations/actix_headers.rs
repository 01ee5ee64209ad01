//! The header map that actix-web and awc share.

use actix_http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::{Extract, Inject, Line, Name, Value};

impl Extract for HeaderMap {
    #[inline]
    fn lines<'a>(&'a self, mut line: impl FnMut(Line<'a>)) {
        for (name, value) in self {
            line(Line {
                name: name.as_str().as_bytes(),
                value: value.as_bytes(),
                sensitive: value.is_sensitive(),
                clean: true,
            });
        }
    }
}

impl Inject for HeaderMap {
    const REPEATS: bool = true;

    fn insert(&mut self, name: Name<'_>, value: Value<'_>) {
        if let Some((name, value)) = converted(name, value) {
            self.insert(name, value);
        }
    }

    fn append(&mut self, name: Name<'_>, value: Value<'_>) {
        if let Some((name, value)) = converted(name, value) {
            self.append(name, value);
        }
    }

    fn reserve(&mut self, lines: usize) {
        self.reserve(lines);
    }
}

/// actix has its header types from an older version of the crate http.
fn converted(name: Name<'_>, value: Value<'_>) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
    let mut converted = match value.block {
        Some(block) => HeaderValue::from_maybe_shared(block.slice_ref(value.bytes)),
        None => HeaderValue::from_bytes(value.bytes),
    }
    .ok()?;
    converted.set_sensitive(value.sensitive);
    Some((name, converted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_in_and_out_byte_for_byte() {
        let mut inbound = HeaderMap::new();
        for (name, value) in [("tracestate", &b"a=1"[..]), ("tracestate", b"b=\xf6"), ("end-user", b"jason")]
        {
            inbound.append(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
        }
        let mut outbound = HeaderMap::new();
        crate::Propagator::default().extract(&inbound).inject(&mut outbound);
        let values: Vec<_> = outbound.get_all("tracestate").map(HeaderValue::as_bytes).collect();
        assert_eq!(values, [&b"a=1"[..], b"b=\xf6"]);
        assert_eq!(outbound.get("end-user").unwrap(), "jason");
        assert_eq!(outbound.len(), 3);
    }
}

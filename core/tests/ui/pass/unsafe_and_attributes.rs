//! Everything else that a signature may carry stays as it is.
#![deny(warnings)]

/// Documented.
#[must_use]
#[onward::propagate]
pub async unsafe fn handler(#[allow(unused_variables)] mut headers: http::HeaderMap) -> usize {
    headers.clear();
    headers.len()
}

#[onward::propagate]
extern "C" fn exported(headers: &http::HeaderMap) {
    let _ = headers;
}

fn main() {
    let headers = http::HeaderMap::new();
    exported(&headers);
    // SAFETY: it asks for nothing.
    drop(unsafe { handler(headers) });
}

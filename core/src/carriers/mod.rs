//! The two traits that connect Onward to whatever holds headers, and their implementations.

mod http;
mod pairs;

pub use pairs::FromValue;

use ::http::HeaderValue;
use bytes::Bytes;

/// One header line of a carrier.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) value: &'a [u8],
    pub(crate) sensitive: bool,
    /// The value comes from a type that cannot hold control characters.
    pub(crate) clean: bool,
}

impl<'a> Line<'a> {
    /// A line from its name, in any case, and its value, as it stood on the wire.
    #[must_use]
    pub const fn new(name: &'a [u8], value: &'a [u8]) -> Self {
        Self { name, value, sensitive: false, clean: false }
    }
}

/// A carrier that headers are read from.
///
/// # Examples
///
/// ```
/// use onward::{Extract, Line};
///
/// struct Message { headers: Vec<(String, Vec<u8>)> }
///
/// impl Extract for Message {
///     fn lines<'a>(&'a self, mut line: impl FnMut(Line<'a>)) {
///         for (name, value) in &self.headers {
///             line(Line::new(name.as_bytes(), value));
///         }
///     }
/// }
///
/// let message = Message { headers: vec![("X-Request-Id".into(), b"abc".to_vec())] };
/// assert_eq!(onward::get_forward_headers(&message).get("x-request-id"), Some(&b"abc"[..]));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` holds no headers that Onward can read",
    label = "this is not a carrier of headers",
    note = "pass something that holds them (`http::HeaderMap`, `http::Request`, `Parts`, a list of pairs, a map), or implement `onward::Extract`",
    note = "in `#[onward::propagate]`, say where they are with `from = expression`"
)]
pub trait Extract {
    /// Calls `line` for every header line, in the order of arrival.
    fn lines<'a>(&'a self, line: impl FnMut(Line<'a>));
}

impl<T: Extract + ?Sized> Extract for &T {
    fn lines<'a>(&'a self, line: impl FnMut(Line<'a>)) {
        T::lines(self, line);
    }
}

/// So that an argument of type `&mut Request` is a carrier too.
impl<T: Extract + ?Sized> Extract for &mut T {
    fn lines<'a>(&'a self, line: impl FnMut(Line<'a>)) {
        T::lines(self, line);
    }
}

/// A carrier that headers are written to: what an outbound request holds them in.
#[diagnostic::on_unimplemented(
    message = "`{Self}` holds no headers that Onward can write",
    label = "this is not a carrier of headers",
    note = "pass something that holds them (`http::HeaderMap`, `http::Request`, a list of pairs, a map), or implement `onward::Inject`"
)]
pub trait Inject: Extract {
    /// Whether a name can have several lines. Where it cannot, Onward joins them (rule R3).
    const REPEATS: bool;

    /// Whether this is a message's headers. Into those `credential` headers never go, unless the destination is
    /// [`message_with_credentials`](crate::Destination::message_with_credentials).
    const MESSAGE: bool = false;

    /// Makes `value` the only line of `name`, which is in lower case.
    fn insert(&mut self, name: Name<'_>, value: Value<'_>);

    /// Adds a line of `name` behind those it has. Called only where [`REPEATS`](Self::REPEATS) holds.
    fn append(&mut self, name: Name<'_>, value: Value<'_>);

    /// Whether the line of `name` was put there by the client library by itself. Such a line is replaced; any
    /// other is the caller's, and wins (rule R6).
    fn is_default(&self, _name: &str) -> bool {
        false
    }

    /// Takes over all lines at once and returns true, where that is quicker; Onward's own carriers know how.
    #[doc(hidden)]
    fn fill(&mut self, _lines: crate::shape::Batch<'_>) -> bool {
        false
    }

    /// Called once before the lines are written, with their number.
    fn reserve(&mut self, _lines: usize) {}
}

/// The name of a forwarded header, in lower case.
#[derive(Clone, Copy, Debug)]
pub struct Name<'a>(pub(crate) &'a ::http::HeaderName);

impl<'a> Name<'a> {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &'a str {
        self.0.as_str()
    }

    /// The name as the crate http has it.
    #[must_use]
    pub fn as_http(&self) -> &'a ::http::HeaderName {
        self.0
    }
}

/// The value of a forwarded header.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    pub(crate) bytes: &'a [u8],
    /// What `bytes` is part of, so that it can be shared rather than copied.
    pub(crate) block: Option<&'a Bytes>,
    pub(crate) sensitive: bool,
}

impl<'a> Value<'a> {
    /// The bytes, as they came in.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether the inbound carrier had marked the value as sensitive.
    #[must_use]
    pub fn is_sensitive(&self) -> bool {
        self.sensitive
    }

    /// The value as the crate http has it, sharing the capture's memory where that is possible. `None` where that type cannot hold it.
    #[must_use]
    pub fn to_http(&self) -> Option<HeaderValue> {
        if let Some(block) = self.block {
            return shared_value(block, self.bytes, self.sensitive);
        }
        let mut value = HeaderValue::from_bytes(self.bytes).ok()?;
        value.set_sensitive(self.sensitive);
        Some(value)
    }
}

/// A value that shares the memory of `block`, which `bytes` is part of.
#[expect(
    clippy::inline_always,
    reason = "a value that a call returns is read back before it is in the cache, 5 ns each time"
)]
#[inline(always)]
pub(crate) fn shared_value(block: &Bytes, bytes: &[u8], sensitive: bool) -> Option<HeaderValue> {
    // What `Bytes::slice_ref` does, which is not inlined.
    let start = bytes.as_ptr().addr().wrapping_sub(block.as_ptr().addr());
    let mut value = HeaderValue::from_maybe_shared(block.slice(start..start + bytes.len())).ok()?;
    value.set_sensitive(sensitive);
    Some(value)
}

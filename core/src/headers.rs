//! What was captured from one inbound request.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

use crate::Propagator;
use crate::block::{self, Lines, StoredDrop};
use crate::capture::DropReason;

/// The headers captured from one inbound request, to be written to the outbound ones.
///
/// Immutable, `Send + Sync`, and cheap to clone: the headers lie in one shared block. Lines come in policy order.
///
/// # Examples
///
/// ```
/// let inbound = [("X-Request-Id", "7f6c"), ("accept", "*/*"), ("Cookie", "a=b")];
/// let headers = onward::get_forward_headers(&inbound);
///
/// let names: Vec<_> = headers.iter().map(|(name, _)| name).collect();
/// assert_eq!(names, ["x-request-id", "cookie"]);
///
/// let mut outbound = http::HeaderMap::new();
/// headers.inject(&mut outbound);
/// assert_eq!(outbound["x-request-id"], "7f6c");
/// ```
#[derive(Clone, Default)]
pub struct ForwardHeaders {
    /// None only in the empty default.
    propagator: Option<Propagator>,
    block: Bytes,
}

impl ForwardHeaders {
    pub(crate) fn new(propagator: Propagator, block: Bytes) -> Self {
        Self { propagator: Some(propagator), block }
    }

    /// The propagator that captured them; none where nothing was captured because there was no request.
    #[must_use]
    pub fn propagator(&self) -> Option<&Propagator> {
        self.propagator.as_ref()
    }

    /// How many header lines there are.
    #[must_use]
    pub fn len(&self) -> usize {
        Lines::new(&self.block).len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The lines: names in lower case, values as they came in.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.stored().map(|line| (self.text(line.rank, line.name), line.value))
    }

    /// The first line of `name`, which is in lower case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.iter().find(|(present, _)| *present == name).map(|(_, value)| value)
    }

    /// What the policy selects but was not captured, with the reason (rule R10). At most the first 64 lines;
    /// [`dropped_count`](Self::dropped_count) has them all.
    pub fn dropped(&self) -> impl Iterator<Item = (Cow<'_, str>, DropReason)> {
        block::drops(&self.block)
            .filter_map(|drop| Some((self.drop_name(&drop), DropReason::from_number(drop.reason)?)))
    }

    /// How many lines were dropped.
    #[must_use]
    pub fn dropped_count(&self) -> usize {
        block::dropped(&self.block)
    }

    pub(crate) fn stored(&self) -> Lines<'_> {
        Lines::new(&self.block)
    }

    pub(crate) fn block(&self) -> &Bytes {
        &self.block
    }

    pub(crate) fn drop_name<'a>(&'a self, drop: &StoredDrop<&'a [u8]>) -> Cow<'a, str> {
        match drop.name {
            [] => self.text(drop.rank, &[]).into(),
            name => String::from_utf8_lossy(name),
        }
    }

    fn text<'a>(&'a self, rank: u16, stored: &'a [u8]) -> &'a str {
        match (&self.propagator, stored) {
            (Some(propagator), []) => propagator.policy().rule(rank).name.as_str(),
            _ => std::str::from_utf8(stored).unwrap_or_default(),
        }
    }
}

/// Names only: values may be credentials.
impl fmt::Debug for ForwardHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

//! Extraction: one pass over the inbound carrier, then one block.

use std::collections::HashMap;
use std::fmt;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::block::{self, Beside, Stored, StoredDrop};
use crate::carriers::{Extract, Line};
use crate::catalogue::refused;
use crate::policy::Policy;
use crate::shape::{self, Shape};

/// Why a header that the policy selects was not captured (rule R10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// The value holds a control character, such as CR, LF or NUL.
    ForbiddenByte,
    /// A prefix rule selects the name, but it is no HTTP field name.
    InvalidName,
    /// Prefix rules had captured as many lines as they may.
    TooMany,
    /// It did not fit into the limit in bytes.
    TooLarge,
}

impl DropReason {
    const ALL: [Self; 4] = [Self::ForbiddenByte, Self::InvalidName, Self::TooMany, Self::TooLarge];

    /// The reason in `snake_case`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ForbiddenByte => "forbidden_byte",
            Self::InvalidName => "invalid_name",
            Self::TooMany => "too_many",
            Self::TooLarge => "too_large",
        }
    }

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| *reason as u8 == number)
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ForbiddenByte => "its value holds a control character",
            Self::InvalidName => "its name is no HTTP field name",
            Self::TooMany => "prefix rules had captured as many headers as they may",
            Self::TooLarge => "it did not fit into the limit in bytes",
        })
    }
}

#[derive(Clone, Copy)]
struct Found<'a> {
    rank: u16,
    line: Line<'a>,
}

impl<'a> Found<'a> {
    /// What it counts for in the limit in bytes.
    fn size(&self) -> usize {
        self.line.name.len() + self.line.value.len()
    }

    fn stored(&self, policy: &Policy) -> Stored<'a> {
        let name = if policy.is_prefix(self.rank) { self.line.name } else { &[] };
        Stored {
            rank: self.rank,
            name,
            value: self.line.value,
            sensitive: self.line.sensitive,
            beside: Beside::Nothing,
        }
    }
}

/// What one pass over the carrier found.
struct Pass<'p, 'a> {
    policy: &'p Policy,
    /// Selected by name, in arrival order.
    exact: SmallVec<[Found<'a>; 16]>,
    /// Selected by prefix, in arrival order.
    prefixed: Vec<Found<'a>>,
    drops: Vec<StoredDrop<Vec<u8>>>,
    /// The length of the names and values together.
    bytes: usize,
    /// The length of the values in `exact`.
    values: usize,
    /// The ranks in `exact`.
    shape: Shape,
    /// Where in `exact` the line of a rank is.
    places: [u8; 64],
    /// Whether that is all that there is to say: no repeats, no prefixes, no rank above.
    plain: bool,
}

impl<'a> Pass<'_, 'a> {
    #[inline]
    fn line(&mut self, line: Line<'a>) {
        let Some(rank) = self.policy.select(line.name) else { return };
        // Blanks around a value are no part of it on the wire, so this covers the empty value (rule R4).
        if line.value.iter().all(|byte| matches!(byte, b' ' | b'\t')) {
            return;
        }
        let found = Found { rank, line };
        if !line.clean && line.value.iter().any(|&byte| is_forbidden(byte)) {
            self.drop(found, DropReason::ForbiddenByte);
        } else if self.policy.is_prefix(rank) {
            self.prefixed(found);
        } else {
            self.bytes += found.size();
            self.values += line.value.len();
            let bit = shape::bit(rank);
            self.plain &= bit & !self.shape != 0;
            self.shape |= bit;
            if let (Some(place), Ok(at)) =
                (self.places.get_mut(usize::from(rank)), u8::try_from(self.exact.len()))
            {
                *place = at;
            }
            self.exact.push(found);
        }
    }

    #[cold]
    fn prefixed(&mut self, found: Found<'a>) {
        let name = found.line.name;
        if !refused::is_token(name) || name.len() > usize::from(u16::MAX) {
            self.drop(found, DropReason::InvalidName);
        } else {
            self.prefixed.push(found);
        }
    }

    /// Brings the lines of one name together, names in the order of their first lines, so that carriers that group
    /// lines and those that do not give the same. Names over the limit go, whole: half of a list is another list.
    #[cold]
    fn limit_prefixed(&mut self) {
        let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut headers: Vec<Vec<Found<'a>>> = Vec::new();
        for found in std::mem::take(&mut self.prefixed) {
            let place = *places.entry(found.line.name.to_ascii_lowercase()).or_insert(headers.len());
            match headers.get_mut(place) {
                Some(lines) => lines.push(found),
                None => headers.push(vec![found]),
            }
        }
        for lines in headers {
            if self.prefixed.len() + lines.len() > self.policy.max_prefix_headers {
                self.drop(lines[0], DropReason::TooMany);
            } else {
                self.bytes += lines.iter().map(Found::size).sum::<usize>();
                self.prefixed.extend(lines);
            }
        }
    }

    #[cold]
    fn drop(&mut self, found: Found<'_>, reason: DropReason) {
        let mut name = found.stored(self.policy).name.to_ascii_lowercase();
        name.truncate(256);
        self.drops.push(StoredDrop { rank: found.rank, name, reason: reason as u8 });
    }

    /// Whole headers go until the rest fits: trace headers are kept first, credentials last.
    #[cold]
    fn shrink(&mut self, found: &mut Vec<Found<'a>>) {
        let mut headers: Vec<(usize, Vec<Found<'a>>)> = Vec::new();
        for line in found.drain(..) {
            match headers.last_mut() {
                Some((_, lines)) if lines[0].line.name.eq_ignore_ascii_case(line.line.name) => {
                    lines.push(line);
                }
                _ => headers.push((headers.len(), vec![line])),
            }
        }
        headers.sort_by_key(|(_, lines)| self.policy.rule(lines[0].rank).class);
        let mut left = self.policy.max_bytes;
        headers.retain(|(_, lines)| {
            let size = lines.iter().map(Found::size).sum();
            let fits = left.checked_sub(size);
            left = fits.unwrap_or(left);
            if fits.is_none() {
                self.drop(lines[0], DropReason::TooLarge);
            }
            fits.is_some()
        });
        headers.sort_by_key(|(place, _)| *place);
        found.extend(headers.into_iter().flat_map(|(_, lines)| lines));
    }
}

const fn is_forbidden(byte: u8) -> bool {
    (byte < b' ' && byte != b'\t') || byte == 0x7F
}

/// Captures what the policy selects.
#[inline]
pub(crate) fn capture<C: Extract + ?Sized>(policy: &Policy, carrier: &C) -> Bytes {
    let mut pass = Pass {
        policy,
        exact: SmallVec::new(),
        prefixed: Vec::new(),
        drops: Vec::new(),
        bytes: 0,
        values: 0,
        shape: 0,
        places: [0; 64],
        plain: true,
    };
    carrier.lines(|line| pass.line(line));
    if pass.plain && pass.prefixed.is_empty() && pass.bytes <= policy.max_bytes {
        return block::write(pass.shape, pass.values, InOrder { left: pass.shape, pass: &pass }, &pass.drops);
    }
    finish(pass)
}

/// The lines by rank, without sorting them.
#[derive(Clone)]
struct InOrder<'p, 'a> {
    left: Shape,
    pass: &'p Pass<'p, 'a>,
}

impl<'a> Iterator for InOrder<'_, 'a> {
    type Item = Stored<'a>;

    #[inline]
    fn next(&mut self) -> Option<Stored<'a>> {
        let rank = self.left.trailing_zeros() as usize;
        self.left &= self.left.wrapping_sub(1);
        let place = usize::from(*self.pass.places.get(rank)?);
        let Found { rank, line } = *self.pass.exact.get(place)?;
        Some(Stored {
            rank,
            name: &[],
            value: line.value,
            sensitive: line.sensitive,
            beside: Beside::Nothing,
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.left.count_ones() as usize;
        (left, Some(left))
    }
}

impl ExactSizeIterator for InOrder<'_, '_> {}

#[cold]
fn finish(mut pass: Pass<'_, '_>) -> Bytes {
    pass.exact.sort_by_key(|found| found.rank);
    pass.limit_prefixed();
    let mut found: Vec<_> = pass.exact.iter().chain(&pass.prefixed).copied().collect();
    if pass.bytes > pass.policy.max_bytes {
        pass.shrink(&mut found);
    }
    let size = found.iter().map(Found::size).sum();
    block::write(0, size, found.iter().map(|found| found.stored(pass.policy)), &pass.drops)
}

//! Extraction: one pass over the inbound carrier, then one block.

mod irregular;

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

/// What one pass over the carrier found.
struct Pass<'a> {
    policy: &'a Policy,
    /// The first value of each name that a shape has a bit for, in arrival order.
    values: SmallVec<[&'a [u8]; 64]>,
    /// By rank, where it is in `values`.
    places: [u8; 64],
    /// The ranks in `values`.
    shape: Shape,
    /// Those of them whose value is sensitive.
    sensitive: Shape,
    /// The length of `values`, and of the names to them.
    value_bytes: usize,
    name_bytes: usize,
    /// Every other line, in arrival order: repeats, prefixes, higher ranks.
    more: Vec<Stored<'a>>,
    drops: Vec<StoredDrop<Vec<u8>>>,
}

impl<'a> Pass<'a> {
    /// A line that the rule of `rank` selects.
    #[inline]
    fn line(&mut self, rank: u16, line: Line<'a>) {
        // Blanks around a value are no part of it on the wire, so this covers the empty value (rule R4).
        if line.value.iter().all(|byte| matches!(byte, b' ' | b'\t')) {
            return;
        }
        let forbidden = !line.clean && has_forbidden(line.value);
        let bit = shape::bit(rank) & self.policy.exact_ranks & !self.shape;
        if forbidden || bit == 0 {
            return self.other(rank, line.name, line.value, line.sensitive, forbidden);
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most one for each bit")]
        let place = self.values.len() as u8;
        self.places[usize::from(rank % 64)] = place;
        self.values.push(line.value);
        self.shape |= bit;
        if line.sensitive {
            self.sensitive |= bit;
        }
        self.value_bytes += line.value.len();
        self.name_bytes += line.name.len();
    }

    #[cold]
    fn other(&mut self, rank: u16, name: &'a [u8], value: &'a [u8], sensitive: bool, forbidden: bool) {
        let prefix = self.policy.is_prefix(rank);
        let valid = refused::is_token(name) && u16::try_from(name.len()).is_ok();
        let name = if prefix { name } else { &[] };
        let line = Stored { rank, name, value, sensitive, beside: Beside::Nothing };
        if forbidden {
            self.drop(&line, DropReason::ForbiddenByte);
        } else if prefix && !valid {
            self.drop(&line, DropReason::InvalidName);
        } else {
            self.more.push(line);
        }
    }

    fn drop(&mut self, line: &Stored<'_>, reason: DropReason) {
        let name = line.name[..line.name.len().min(256)].to_ascii_lowercase();
        self.drops.push(StoredDrop { rank: line.rank, name, reason: reason as u8 });
    }

    /// The first lines of names, by rank, without sorting them.
    #[inline]
    fn in_order(&self) -> InOrder<'_, 'a> {
        InOrder { left: self.shape, pass: self }
    }
}

/// Without an early return, so that several bytes are looked at together.
fn has_forbidden(value: &[u8]) -> bool {
    value.iter().fold(false, |has, &byte| has | is_forbidden(byte))
}

const fn is_forbidden(byte: u8) -> bool {
    (byte < b' ' && byte != b'\t') || byte == 0x7F
}

/// Captures what the policy selects.
#[inline]
pub(crate) fn capture<C: Extract + ?Sized>(policy: &Policy, carrier: &C) -> Bytes {
    let mut pass = Pass {
        policy,
        values: SmallVec::new(),
        places: [0; 64],
        shape: 0,
        sensitive: 0,
        value_bytes: 0,
        name_bytes: 0,
        more: Vec::new(),
        drops: Vec::new(),
    };
    carrier.lines(|line| {
        if let Some(rank) = policy.select(line.name) {
            pass.line(rank, line);
        }
    });
    if pass.more.is_empty() && pass.value_bytes + pass.name_bytes <= policy.max_bytes {
        return block::write(pass.shape, pass.value_bytes, pass.in_order(), &pass.drops);
    }
    irregular::write(pass)
}

#[derive(Clone)]
struct InOrder<'p, 'a> {
    left: Shape,
    pass: &'p Pass<'a>,
}

impl<'a> Iterator for InOrder<'_, 'a> {
    type Item = Stored<'a>;

    #[inline]
    fn next(&mut self) -> Option<Stored<'a>> {
        let bit = self.left & self.left.wrapping_neg();
        let rank = u16::try_from(self.left.trailing_zeros()).ok()?;
        self.left ^= bit;
        let place = *self.pass.places.get(usize::from(rank))?;
        let value = *self.pass.values.get(usize::from(place))?;
        let sensitive = self.pass.sensitive & bit != 0;
        Some(Stored { rank, name: &[], value, sensitive, beside: Beside::Nothing })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.left.count_ones() as usize;
        (left, Some(left))
    }
}

impl ExactSizeIterator for InOrder<'_, '_> {}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    /// What goes out of a policy of a hundred names and one prefix rule; a mark is a `!` in the value.
    fn sent(lines: &[(&'static str, &'static str)]) -> Vec<(String, HeaderValue)> {
        let names = (0..100).map(|i| format!("x-name-{i}"));
        let builder = crate::Propagator::builder().preset("w3c").add("x-prefix-*");
        let propagator = names.fold(builder, crate::PropagatorBuilder::add).build().unwrap();
        let mut inbound = HeaderMap::new();
        for (name, value) in lines {
            let mut value = HeaderValue::from_static(value);
            value.set_sensitive(value.as_bytes().ends_with(b"!"));
            inbound.append(HeaderName::from_static(name), value);
        }
        let mut outbound = HeaderMap::new();
        propagator.extract(&inbound).inject(&mut outbound);
        outbound.iter().map(|(name, value)| (name.to_string(), value.clone())).collect()
    }

    #[test]
    fn lines_come_in_policy_order_with_their_repeats_and_their_marks() {
        let many = [
            ("x-prefix-b", "1"),
            ("x-name-99", "2!"),
            ("x-name-3", "3"),
            ("x-name-99", "4"),
            ("x-name-1", "5!"),
            ("x-prefix-a", "6!"),
            ("x-name-3", "7!"),
            ("x-prefix-b", "8"),
            ("x-request-id", "9"),
        ];
        let few = [("x-name-3", "3"), ("accept", "*/*"), ("x-name-1", "5!"), ("x-request-id", "9")];
        let many_sent = [
            ("x-request-id", "9"),
            ("x-name-1", "5!"),
            ("x-name-3", "3"),
            ("x-name-3", "7!"),
            ("x-name-99", "2!"),
            ("x-name-99", "4"),
            ("x-prefix-b", "1"),
            ("x-prefix-b", "8"),
            ("x-prefix-a", "6!"),
        ];
        let few_sent = [("x-request-id", "9"), ("x-name-1", "5!"), ("x-name-3", "3")];
        for (lines, expected) in [(&many[..], &many_sent[..]), (&few, &few_sent)] {
            let sent = sent(lines);
            let pairs: Vec<_> =
                sent.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
            assert_eq!(pairs, expected);
            for (name, value) in &sent {
                assert_eq!(value.is_sensitive(), value.as_bytes().ends_with(b"!"), "{name}");
            }
        }
    }
}

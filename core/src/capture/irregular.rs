//! Captures that have repeats, names under prefix rules or high ranks, or go over a limit.

use std::collections::HashMap;

use bytes::Bytes;

use super::{DropReason, Pass};
use crate::block::{self, Stored};

/// Writes a block of lines that have no shape, or are too many.
#[cold]
pub(super) fn write(mut pass: Pass<'_>) -> Bytes {
    let more = std::mem::take(&mut pass.more).into_iter();
    let (prefixed, repeats): (Vec<_>, Vec<_>) = more.partition(|line| pass.policy.is_prefix(line.rank));
    let mut found: Vec<_> = pass.in_order().chain(repeats).collect();
    found.sort_by_key(|line| line.rank);
    found.extend(pass.limit_prefixed(prefixed));
    if found.iter().map(|line| pass.size(line)).sum::<usize>() > pass.policy.max_bytes {
        pass.shrink(&mut found);
    }
    let size = found.iter().map(|line| line.name.len() + line.value.len()).sum();
    block::write(0, size, found.into_iter(), &pass.drops)
}

impl<'a> Pass<'a> {
    /// Brings the lines of one name together, names in the order of their first lines, so that carriers that group
    /// lines and those that do not give the same. Names over the limit go, whole: half of a list is another list.
    fn limit_prefixed(&mut self, prefixed: Vec<Stored<'a>>) -> Vec<Stored<'a>> {
        let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut headers: Vec<Vec<Stored<'a>>> = Vec::new();
        for line in prefixed {
            let place = *places.entry(line.name.to_ascii_lowercase()).or_insert(headers.len());
            match headers.get_mut(place) {
                Some(lines) => lines.push(line),
                None => headers.push(vec![line]),
            }
        }
        let mut kept = Vec::new();
        for lines in headers {
            if kept.len() + lines.len() > self.policy.max_prefix_headers {
                self.drop(&lines[0], DropReason::TooMany);
            } else {
                kept.extend(lines);
            }
        }
        kept
    }

    /// What a line counts for in the limit in bytes.
    fn size(&self, line: &Stored<'_>) -> usize {
        let name = if self.policy.is_prefix(line.rank) {
            line.name.len()
        } else {
            self.policy.rule(line.rank).name.as_str().len()
        };
        name + line.value.len()
    }

    /// Whole headers go until the rest fits: trace headers are kept first, credentials last.
    fn shrink(&mut self, found: &mut Vec<Stored<'a>>) {
        let mut headers: Vec<(usize, Vec<Stored<'a>>)> = Vec::new();
        for line in found.drain(..) {
            match headers.last_mut() {
                Some((_, lines))
                    if lines[0].rank == line.rank && lines[0].name.eq_ignore_ascii_case(line.name) =>
                {
                    lines.push(line);
                }
                _ => headers.push((headers.len(), vec![line])),
            }
        }
        headers.sort_by_key(|(_, lines)| self.policy.rule(lines[0].rank).class);
        let mut left = self.policy.max_bytes;
        headers.retain(|(_, lines)| {
            let size = lines.iter().map(|line| self.size(line)).sum();
            let fits = left.checked_sub(size);
            left = fits.unwrap_or(left);
            if fits.is_none() {
                self.drop(&lines[0], DropReason::TooLarge);
            }
            fits.is_some()
        });
        headers.sort_by_key(|(place, _)| *place);
        found.extend(headers.into_iter().flat_map(|(_, lines)| lines));
    }
}

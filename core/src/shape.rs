//! Outbound maps that need no hashing: most requests of a service carry the same set of headers, so the map of that
//! set is made once, and cloned for each request with only the values exchanged.

use std::sync::OnceLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

use crate::block::Stored;
use crate::carriers::Value;
use crate::policy::Policy;

/// Which of the first 128 ranks there are, one bit each.
pub(crate) type Shape = u128;

/// How many shapes are kept. A service sees few; what does not fit is written line by line.
const KEPT: usize = 16;

/// Maps by shape. Filled by use, never emptied, so reading needs no lock.
#[derive(Debug, Default)]
pub(crate) struct Shapes([OnceLock<(Shape, HeaderMap)>; KEPT]);

/// Lines of distinct names in policy order, for a carrier that can take them all at once.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    policy: &'a Policy,
    shape: Shape,
    block: &'a Bytes,
    lines: &'a [Stored<'a>],
}

impl<'a> Batch<'a> {
    /// None where the lines have no shape: a name has several lines, or a prefix rule selected one.
    pub(crate) fn new(policy: &'a Policy, block: &'a Bytes, lines: &'a [Stored<'a>]) -> Option<Self> {
        let mut shape: Shape = 0;
        for line in lines {
            let bit = 1u128.checked_shl(line.rank.into())?;
            if policy.is_prefix(line.rank) || shape & bit != 0 {
                return None;
            }
            shape |= bit;
        }
        Some(Self { policy, shape, block, lines })
    }

    /// A map with just these lines. None where they are better written one by one.
    pub(crate) fn to_map(self) -> Option<HeaderMap> {
        let mut map = self.template()?.clone();
        for (slot, line) in map.values_mut().zip(self.lines) {
            let value = Value { bytes: line.value, block: Some(self.block), sensitive: line.sensitive };
            *slot = value.to_http()?;
        }
        Some(map)
    }

    fn template(&self) -> Option<&'a HeaderMap> {
        // The multiplier spreads shapes that differ in few bits.
        let spread = (self.shape ^ self.shape >> 64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let start = (spread >> 60) as usize;
        for step in 0..4 {
            let (shape, map) =
                self.policy.shapes.0[(start + step) % KEPT].get_or_init(|| (self.shape, self.make()));
            if *shape == self.shape {
                // The crate http promises no order; where it is not that of the lines, the template is of no use.
                let in_order =
                    map.keys().zip(self.lines).all(|(name, line)| *name == self.policy.rule(line.rank).name);
                return (in_order && map.len() == self.lines.len()).then_some(map);
            }
        }
        None
    }

    fn make(&self) -> HeaderMap {
        let names = self.lines.iter().map(|line| self.policy.rule(line.rank).name.clone());
        names.map(|name| (name, HeaderValue::from_static(""))).collect()
    }
}

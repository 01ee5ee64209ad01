//! Outbound maps that need no hashing: most requests of a service carry the same set of headers, so the map of that
//! set is made once, and cloned for each request with only the values exchanged.

use std::sync::OnceLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

use crate::block::Lines;
use crate::carriers::shared_value;
use crate::policy::Policy;

/// Which of the first 64 ranks there are, one bit each. 0 where a name has several lines, a prefix rule selected one,
/// or a rank is higher.
pub(crate) type Shape = u64;

/// The bit of a rank.
pub(crate) const fn bit(rank: u16) -> Shape {
    if rank < 64 { 1 << rank } else { 0 }
}

/// How many shapes are kept. A service sees few; what does not fit is written line by line.
const KEPT: usize = 16;

/// Maps by shape. Filled by use, never emptied, so reading needs no lock.
#[derive(Debug, Default)]
pub(crate) struct Shapes([OnceLock<Template>; KEPT]);

#[derive(Debug)]
struct Template {
    shape: Shape,
    /// None where the map's order is not that of the ranks: the crate http promises none.
    map: Option<HeaderMap>,
}

/// Lines that have a shape, for a carrier that can take them all at once.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    policy: &'a Policy,
    block: &'a Bytes,
    /// Which of the block's lines go.
    shape: Shape,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(policy: &'a Policy, block: &'a Bytes, shape: Shape) -> Self {
        Self { policy, block, shape }
    }

    /// Fills an empty map with just these lines. False where they are better written one by one.
    #[inline]
    pub(crate) fn fill(self, map: &mut HeaderMap) -> bool {
        let Some(template) = self.template() else { return false };
        *map = template.clone();
        let lines = Lines::new(self.block).filter(|line| self.shape >> (line.rank % 64) & 1 == 1);
        let filled = map.values_mut().zip(lines).all(|(slot, line)| {
            let Some(value) = shared_value(self.block, line.value, line.sensitive) else { return false };
            // The empty value is static: not dropping it leaks nothing, and spares a call through a table.
            std::mem::forget(std::mem::replace(slot, value));
            true
        });
        if !filled {
            map.clear();
        }
        filled
    }

    fn template(&self) -> Option<&'a HeaderMap> {
        // The multiplier spreads shapes that differ in few bits.
        let spread = self.shape.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let start = (spread >> 60) as usize;
        for step in 0..4 {
            let template = self.policy.shapes.0[(start + step) % KEPT].get_or_init(|| self.make());
            if template.shape == self.shape {
                return template.map.as_ref();
            }
        }
        None
    }

    #[cold]
    fn make(&self) -> Template {
        let ranks = (0..64).filter(|rank| self.shape & bit(*rank) != 0);
        let names: Vec<_> = ranks.map(|rank| &self.policy.rule(rank).name).collect();
        let map: HeaderMap =
            names.iter().map(|name| ((*name).clone(), HeaderValue::from_static(""))).collect();
        let in_order = map.keys().eq(names);
        Template { shape: self.shape, map: in_order.then_some(map) }
    }
}

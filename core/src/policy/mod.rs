//! A policy, compiled: what the hot path reads, in the form in which it reads it fastest.

mod builder;
mod compile;
mod env;

pub use builder::PropagatorBuilder;
pub(crate) use builder::Settings;

use http::HeaderName;

use crate::catalogue::{Class, refused};
use crate::destination::MeshHosts;
use crate::shape::{Shape, Shapes};
use crate::table::{Key, Prefixes, Table};

/// What is captured of one request, in bytes of names and values together, unless configured otherwise.
pub(crate) const MAX_BYTES: usize = 32 * 1024;
/// How many header lines prefix rules capture of one request, unless configured otherwise.
pub(crate) const MAX_PREFIX_HEADERS: usize = 64;

/// Where automatic injection sends headers of [`Class::Trace`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TraceDestinations {
    /// To every destination.
    #[default]
    All,
    /// To in-mesh destinations only.
    Mesh,
}

/// A compiled policy.
#[derive(Debug)]
pub(crate) struct Policy {
    /// The headers selected by name, in policy order, then the prefix rules. An index into it is a *rank*.
    pub(crate) rules: Vec<Rule>,
    /// How many of `rules` are names.
    pub(crate) exact: usize,
    /// Every name that has a meaning: selected, excluded, or a member of a selected header's family.
    names: Table<Entry>,
    /// The prefix rules again, as they are compared.
    prefixes: Prefixes<u16>,
    /// Names that are not selected but belong to a selected family; prefixes end in `*`.
    pub(crate) relatives: Vec<(String, FamilyId)>,
    /// Prefixes of selected families, for the names that a caller may have set.
    family_prefixes: Prefixes<FamilyId>,
    pub(crate) shapes: Shapes,
    /// The ranks of names.
    pub(crate) exact_ranks: Shape,
    /// The ranks of class trace.
    pub(crate) trace_ranks: Shape,
    pub(crate) mesh: MeshHosts,
    pub(crate) trace_destinations: TraceDestinations,
    pub(crate) max_bytes: usize,
    pub(crate) max_prefix_headers: usize,
    /// Names, and prefixes with a `*`, that prefix rules leave out.
    pub(crate) excluded: Vec<String>,
    pub(crate) settings: Settings,
}

/// A number for each family in the policy.
pub(crate) type FamilyId = u16;

/// One selected name, or one prefix rule.
#[derive(Debug)]
pub(crate) struct Rule {
    /// The name in lower case; of a prefix rule, the prefix (without `*`).
    pub(crate) name: HeaderName,
    pub(crate) class: Class,
    /// None where each name under a prefix stands for itself.
    pub(crate) family: Option<FamilyId>,
    pub(crate) separator: &'static str,
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    /// The rank, where the name is selected.
    rank: Option<u16>,
    family: Option<FamilyId>,
}

impl Policy {
    /// The rank of the rule that selects `name`.
    #[inline]
    pub(crate) fn select(&self, name: &[u8]) -> Option<u16> {
        let key = Key::new(name);
        if let Some(entry) = self.names.find(key, name) {
            return entry.rank;
        }
        let rank = self.prefixes.find(key, name)?;
        self.may_select_by_prefix(name).then_some(rank)
    }

    #[cold]
    fn may_select_by_prefix(&self, name: &[u8]) -> bool {
        refused::reason(name).is_none() && !self.is_excluded(name)
    }

    /// Whether an excluded prefix covers `name`, and no longer prefix rule does: the more specific one counts.
    fn is_excluded(&self, name: &[u8]) -> bool {
        let covers = |prefix: &str| crate::catalogue::starts_with(name, prefix.as_bytes());
        self.excluded.iter().filter_map(|pattern| pattern.strip_suffix('*')).any(|excluded| {
            let mut longer = self.rules[self.exact..].iter().map(|rule| rule.name.as_str());
            covers(excluded) && !longer.any(|rule| rule.len() > excluded.len() && covers(rule))
        })
    }

    /// The family in this policy that `name`, found on an outbound request, is a member of.
    #[inline]
    pub(crate) fn family_of(&self, name: &[u8]) -> Option<FamilyId> {
        let key = Key::new(name);
        if let Some(entry) = self.names.find(key, name) {
            return entry.family;
        }
        self.family_prefixes.find(key, name)
    }

    pub(crate) fn rule(&self, rank: u16) -> &Rule {
        &self.rules[usize::from(rank)]
    }

    pub(crate) fn is_prefix(&self, rank: u16) -> bool {
        usize::from(rank) >= self.exact
    }
}

//! A policy as plain data, for faces in other languages that run it themselves.

use crate::Propagator;
use crate::policy::TraceDestinations;

/// What a face in another language needs to select headers without crossing into native code for each of them.
///
/// The face runs it; the decisions stand in it already, so that no header name is ever mentioned there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// Headers selected by name, in policy order.
    pub headers: Vec<PlanHeader>,
    /// Prefix rules, in policy order; the first that matches a name selects it.
    pub prefixes: Vec<PlanHeader>,
    /// Names, and prefixes with a `*`, that no prefix rule selects although it matches. Under such a prefix, only a
    /// longer prefix rule selects.
    pub excluded: Vec<String>,
    /// Names, and prefixes with a `*`, that no prefix rule ever selects (rule R9).
    pub refused: Vec<String>,
    /// Names, and prefixes with a `*`, that are not selected but belong to a selected family.
    pub relatives: Vec<PlanRelative>,
    /// The limit on names and values together, in bytes.
    pub max_bytes: usize,
    /// The limit on lines selected by prefix rules.
    pub max_prefix_headers: usize,
    /// Whether trace headers go to destinations outside the mesh.
    pub trace_anywhere: bool,
}

/// A header of a [`Plan`], or a prefix rule (then `name` is the prefix, without `*`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlanHeader {
    /// In lower case.
    pub name: String,
    /// `trace`, `context` or `credential`.
    pub class: &'static str,
    /// Headers with the same number belong together. None where each name under a prefix stands for itself.
    pub family: Option<u16>,
    /// What joins repeated lines.
    pub separator: &'static str,
}

/// A name that a caller may set, and with it a family of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlanRelative {
    /// In lower case; a prefix ends in `*`.
    pub name: String,
    /// The family it belongs to.
    pub family: u16,
}

impl Propagator {
    /// The policy as plain data.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let policy = self.policy();
        let header = |rule: &crate::policy::Rule| PlanHeader {
            name: rule.name.as_str().to_owned(),
            class: rule.class.as_str(),
            family: rule.family,
            separator: rule.separator,
        };
        Plan {
            headers: policy.rules[..policy.exact].iter().map(header).collect(),
            prefixes: policy.rules[policy.exact..].iter().map(header).collect(),
            excluded: policy.excluded.clone(),
            refused: crate::catalogue::refused::names().collect(),
            relatives: (policy.relatives.iter().cloned())
                .map(|(name, family)| PlanRelative { name, family })
                .collect(),
            max_bytes: policy.max_bytes,
            max_prefix_headers: policy.max_prefix_headers,
            trace_anywhere: policy.trace_destinations == TraceDestinations::All,
        }
    }

    /// The place in [`Plan::headers`] of the header with this name, in any case. A name that a prefix rule selects
    /// gives a number past the last; one that is not forwarded gives none.
    ///
    /// ```
    /// let propagator = onward::Propagator::default();
    /// assert_eq!(propagator.rank(b"X-Request-Id"), Some(0));
    /// assert_eq!(propagator.rank(b"accept"), None);
    /// ```
    #[must_use]
    #[inline]
    pub fn rank(&self, name: &[u8]) -> Option<usize> {
        self.policy().select(name).map(usize::from)
    }
}

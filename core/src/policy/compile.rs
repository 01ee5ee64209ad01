//! From what a user said to what the hot path reads.

use http::HeaderName;

use super::builder::{Edit, Settings};
use super::{Entry, FamilyId, Policy, Rule};
use crate::block;
use crate::catalogue::presets::{self, Preset};
use crate::catalogue::{CATALOGUE, Class, Family, Header, refused};
use crate::destination::MeshHosts;
use crate::shape::{self, Shapes};
use crate::table::{Prefixes, Table};
use crate::{PolicyError, PolicyErrorKind};

/// A name, or a prefix, that a policy forwards; not yet numbered.
#[derive(Clone, Debug)]
struct Selected {
    pattern: Pattern,
    class: Class,
    family: Family,
    separator: &'static str,
}

/// `x-tenant-id` or `x-canary-*`, in lower case and without the `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    name: String,
    prefix: bool,
}

impl Pattern {
    /// Reads what a user wrote, and refuses what no policy may list (rule R9).
    pub(crate) fn parse(token: &str) -> Result<Self, PolicyError> {
        let invalid = |kind, advice: &str| Err(PolicyError::new(kind, token, advice));
        let (name, prefix) = match token.strip_suffix('*') {
            Some(name) => (name, true),
            None => (token, false),
        };
        if prefix && name.is_empty() {
            return invalid(
                PolicyErrorKind::InvalidPrefix,
                "selects every header; name a prefix, such as `x-canary-*`",
            );
        }
        if name.contains('*') {
            return invalid(
                PolicyErrorKind::InvalidPrefix,
                "has `*` before its end; `*` stands only at the end, as in `x-canary-*`",
            );
        }
        if !refused::is_token(name.as_bytes()) {
            return invalid(
                PolicyErrorKind::InvalidHeaderName,
                "is not a header name; use letters, digits and `-`, such as `x-tenant-id`",
            );
        }
        if let Some(reason) = refused::reason(name.as_bytes()) {
            return invalid(PolicyErrorKind::RefusedHeader, &format!("{reason}; take it out of the policy"));
        }
        Ok(Self { name: name.to_ascii_lowercase(), prefix })
    }

    /// As a user would write it.
    fn into_text(self) -> String {
        if self.prefix { self.name + "*" } else { self.name }
    }

    fn matches(&self, other: &Self) -> bool {
        if self.prefix { other.name.starts_with(&self.name) } else { self == other }
    }
}

impl Selected {
    fn known(header: &Header) -> Self {
        let (name, prefix) = match header.name.strip_suffix('*') {
            Some(name) => (name, true),
            None => (header.name, false),
        };
        Self {
            pattern: Pattern { name: name.into(), prefix },
            class: header.class,
            family: header.family,
            separator: header.separator,
        }
    }

    fn from_pattern(pattern: Pattern) -> Self {
        let known = CATALOGUE.iter().find(|header| match header.name.strip_suffix('*') {
            Some(prefix) => pattern.name.starts_with(prefix),
            None => !pattern.prefix && pattern.name == header.name,
        });
        match known {
            Some(header) => Self { pattern, ..Self::known(header) },
            None => Self { pattern, class: Class::Context, family: Family::Alone, separator: "," },
        }
    }
}

/// The preset of that name.
pub(crate) fn preset(name: &str) -> Result<&'static Preset, PolicyError> {
    presets::find(name).ok_or_else(|| {
        let known: Vec<_> = presets::PRESETS.iter().map(|preset| preset.name).collect();
        PolicyError::new(
            PolicyErrorKind::UnknownPreset,
            name,
            format!("is not a preset; choose from {}", known.join(", ")),
        )
    })
}

/// What the policy selects, and which names it excludes from its prefix rules.
fn select(settings: &Settings) -> Result<(Vec<Selected>, Vec<Pattern>), PolicyError> {
    let mut selected: Vec<Selected> = Vec::new();
    let mut excluded: Vec<Pattern> = Vec::new();
    let default = [presets::DEFAULT.to_owned()];
    let names = if settings.presets.is_empty() { &default[..] } else { &settings.presets };
    for name in names {
        for header in preset(name)?.headers {
            let header = Selected::known(header);
            if !selected.iter().any(|other| other.pattern == header.pattern) {
                selected.push(header);
            }
        }
    }
    for edit in &settings.edits {
        match edit {
            Edit::Add(token) => {
                let pattern = Pattern::parse(token)?;
                excluded.retain(|name| !pattern.matches(name));
                // What the catalogue knows under a prefix keeps its class, family and separator.
                let known = CATALOGUE.iter().map(|header| Selected::known(header));
                let known = known.filter(|known| pattern.prefix && pattern.matches(&known.pattern));
                let added: Vec<_> = known.chain([Selected::from_pattern(pattern.clone())]).collect();
                for header in added {
                    if !selected.iter().any(|other| other.pattern == header.pattern) {
                        selected.push(header);
                    }
                }
            }
            Edit::Remove(token, _) | Edit::Except(token) => {
                let pattern = Pattern::parse(token)?;
                let before = selected.len();
                selected.retain(|other| !pattern.matches(&other.pattern));
                let under_a_prefix =
                    selected.iter().any(|other| other.pattern.prefix && other.pattern.matches(&pattern));
                if under_a_prefix {
                    excluded.push(pattern);
                } else if selected.len() == before
                    && let Edit::Remove(_, variable) = edit
                {
                    let error = PolicyError::new(
                        PolicyErrorKind::NothingToRemove,
                        token,
                        "is not in the policy, so there is nothing to take out; check the spelling",
                    );
                    return Err(match variable {
                        Some(variable) => error.in_variable(variable),
                        None => error,
                    });
                }
            }
        }
    }
    Ok((selected, excluded))
}

pub(crate) fn compile(settings: Settings) -> Result<Policy, PolicyError> {
    let (mut selected, excluded) = select(&settings)?;
    // Stable: names keep their order, and so do prefix rules behind them.
    selected.sort_by_key(|header| header.pattern.prefix);
    let exact = selected.iter().filter(|header| !header.pattern.prefix).count();
    check_limits(&settings, selected.len())?;

    let mut numbers = Families::default();
    let mut rules = Vec::with_capacity(selected.len());
    for header in &selected {
        rules.push(Rule {
            name: header_name(&header.pattern)?,
            class: header.class,
            family: numbers.of(header),
            separator: header.separator,
        });
    }

    let mut entries: Vec<(String, Entry)> = Vec::new();
    let mut family_prefixes = Vec::new();
    for header in CATALOGUE {
        let Some(family) = numbers.get(header.family) else { continue };
        match header.name.strip_suffix('*') {
            Some(prefix) => family_prefixes.push((prefix, family)),
            None => entries.push((header.name.into(), Entry { rank: None, family: Some(family) })),
        }
    }
    for name in excluded.iter().filter(|name| !name.prefix) {
        let family = Selected::from_pattern(name.clone()).family;
        entries.push((name.name.clone(), Entry { rank: None, family: numbers.get(family) }));
    }
    for (rank, (header, rule)) in (0..).zip(selected.iter().zip(&rules)) {
        if !header.pattern.prefix {
            entries.push((header.pattern.name.clone(), Entry { rank: Some(rank), family: rule.family }));
        }
    }
    Ok(Policy {
        relatives: relatives(&entries, &family_prefixes),
        names: Table::new(entries.iter().map(|(name, entry)| (name.as_str(), *entry))),
        prefixes: Prefixes::new(
            (0..).zip(&rules).skip(exact).map(|(rank, rule): (u16, &Rule)| (rule.name.as_str(), rank)),
        ),
        excluded: excluded.into_iter().map(Pattern::into_text).collect(),
        family_prefixes: Prefixes::new(family_prefixes),
        shapes: Shapes::default(),
        exact_ranks: (0..).take(exact).fold(0, |ranks, rank| ranks | shape::bit(rank)),
        trace_ranks: (0..)
            .zip(&rules)
            .filter(|(_, rule)| rule.class == Class::Trace)
            .fold(0, |ranks, (rank, _)| ranks | shape::bit(rank)),
        exact,
        rules,
        mesh: MeshHosts::parse(&settings.mesh_hosts)?,
        trace_destinations: settings.trace_destinations,
        max_bytes: settings.max_bytes,
        max_prefix_headers: settings.max_prefix_headers,
        settings,
    })
}

/// Names that are not selected but belong to a selected family; prefixes end in `*`.
fn relatives(entries: &[(String, Entry)], prefixes: &[(&str, FamilyId)]) -> Vec<(String, FamilyId)> {
    let selected = |name: &str| entries.iter().any(|(other, entry)| entry.rank.is_some() && other == name);
    let mut relatives: Vec<_> = entries
        .iter()
        .filter_map(|(name, entry)| Some((name.clone(), entry.family?)))
        .filter(|(name, _)| !selected(name))
        .chain(prefixes.iter().map(|(prefix, family)| (format!("{prefix}*"), *family)))
        .collect();
    relatives.sort();
    relatives.dedup();
    relatives
}

fn check_limits(settings: &Settings, rules: usize) -> Result<(), PolicyError> {
    let invalid = |token: usize, advice: String| {
        Err(PolicyError::new(PolicyErrorKind::InvalidLimit, token.to_string(), advice))
    };
    if !(1..=block::MAX_VALUE).contains(&settings.max_bytes) {
        return invalid(
            settings.max_bytes,
            format!("is no limit in bytes; choose from 1 to {}", block::MAX_VALUE),
        );
    }
    if rules > MAX_RULES {
        return invalid(rules, format!("headers are more than one policy holds; list at most {MAX_RULES}"));
    }
    Ok(())
}

/// Far more than Envoy lets through, and few enough for two bytes a rank with every catalogue name beside them.
const MAX_RULES: usize = 10_000;

fn header_name(pattern: &Pattern) -> Result<HeaderName, PolicyError> {
    // Names from the catalogue become static: cloning them costs nothing.
    let known = CATALOGUE.iter().find(|header| header.name == pattern.name);
    if let (Some(header), false) = (known, pattern.prefix) {
        return Ok(HeaderName::from_static(header.name));
    }
    HeaderName::from_bytes(pattern.name.as_bytes()).map_err(|_| {
        PolicyError::new(
            PolicyErrorKind::InvalidHeaderName,
            &*pattern.name,
            "is longer than a header name can be",
        )
    })
}

/// Numbers for the families that occur.
#[derive(Default)]
struct Families {
    known: Vec<(Family, FamilyId)>,
    next: FamilyId,
}

impl Families {
    /// The family of a selected header, numbered on first sight. None for a prefix rule without a family.
    fn of(&mut self, header: &Selected) -> Option<FamilyId> {
        if header.family == Family::Alone {
            return (!header.pattern.prefix).then(|| self.fresh());
        }
        self.get(header.family).or_else(|| {
            let id = self.fresh();
            self.known.push((header.family, id));
            Some(id)
        })
    }

    fn get(&self, family: Family) -> Option<FamilyId> {
        self.known.iter().find(|(known, _)| *known == family).map(|(_, id)| *id)
    }

    fn fresh(&mut self) -> FamilyId {
        let id = self.next;
        self.next += 1;
        id
    }
}

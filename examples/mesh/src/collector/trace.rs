//! A trace: the spans of one id, and the tree that their parents make.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::span::{Kind, Span};

/// The spans that carry one trace id, in the order in which they arrived.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    /// 32 hex characters.
    pub id: String,
    /// Every span of it that was reported so far.
    pub spans: Vec<Arc<Span>>,
}

/// A row of a trace when it is written down as a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Index into [`Trace::spans`].
    pub span: usize,
    /// 0 for a root and for a span whose parent nobody reported.
    pub depth: usize,
}

/// What a span of a trace hangs under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parent {
    /// It is a root.
    None,
    /// Index of the parent.
    Span(usize),
    /// It names a parent that nobody reported.
    Missing,
}

impl Trace {
    /// The spans without a parent, earliest first. A whole trace has one.
    pub fn roots(&self) -> Vec<&Span> {
        self.placed(|parent| parent == Parent::None)
    }

    /// The spans directly below the span `id`, earliest first.
    pub fn children(&self, id: &str) -> Vec<&Span> {
        self.placed(|parent| matches!(parent, Parent::Span(index) if self.spans[index].id == id))
    }

    /// The spans whose parent nobody reported, earliest first.
    pub fn missing_parents(&self) -> Vec<&Span> {
        self.placed(|parent| parent == Parent::Missing)
    }

    /// Whether its spans are no tree: a parent that nobody reported, more than one root, or none (a loop).
    pub fn is_broken(&self) -> bool {
        let parents = self.parents();
        let roots = parents.iter().filter(|parent| **parent == Parent::None).count();
        let orphans = parents.contains(&Parent::Missing);
        !self.spans.is_empty() && (orphans || roots != 1 || self.has_loop())
    }

    /// Whether some spans are each other's ancestors, so that no root leads to them.
    pub fn has_loop(&self) -> bool {
        let parents = self.parents();
        let tops = (0..parents.len()).filter(|index| !matches!(parents[*index], Parent::Span(_))).collect();
        self.walk(&parents, tops).len() < self.spans.len()
    }

    /// Every span once, parents before children, siblings by start: the order of a waterfall. Spans whose
    /// parent nobody reported, and loops, start at depth 0 again.
    pub fn rows(&self) -> Vec<Row> {
        let parents = self.parents();
        let mut tops: Vec<usize> =
            (0..parents.len()).filter(|index| !matches!(parents[*index], Parent::Span(_))).collect();
        self.sort_by_start(&mut tops);
        let mut rows = self.walk(&parents, tops);
        let mut seen: HashSet<usize> = rows.iter().map(|row| row.span).collect();
        for index in 0..self.spans.len() {
            if seen.insert(index) {
                rows.push(Row { span: index, depth: 0 });
            }
        }
        rows
    }

    /// The earliest start in microseconds since 1970; 0 if no span has one.
    pub fn start_us(&self) -> u64 {
        self.spans.iter().map(|span| span.timestamp_us).filter(|at| *at > 0).min().unwrap_or(0)
    }

    /// From the earliest start to the latest end, in microseconds.
    pub fn duration_us(&self) -> u64 {
        let end = self.spans.iter().filter(|span| span.timestamp_us > 0).map(|span| span.end_us()).max();
        let without_start = self.spans.iter().map(|span| span.duration_us).max();
        end.or(without_start).unwrap_or(0).saturating_sub(self.start_us())
    }

    /// The span that the trace starts with: the earliest root, or the earliest span if it has no root.
    pub fn first(&self) -> Option<&Span> {
        self.rows().first().map(|row| &*self.spans[row.span])
    }

    /// What each span hangs under, in the order of [`Trace::spans`].
    pub fn parents(&self) -> Vec<Parent> {
        let mut by_id: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, span) in self.spans.iter().enumerate() {
            by_id.entry(&span.id).or_default().push(index);
        }
        (0..self.spans.len()).map(|index| self.parent_of(index, &by_id)).collect()
    }

    fn parent_of(&self, index: usize, by_id: &HashMap<&str, Vec<usize>>) -> Parent {
        let span = &self.spans[index];
        // The server's half of a shared span hangs under the client's half of the same id.
        if span.shared {
            let client =
                by_id[span.id.as_str()].iter().find(|other| self.spans[**other].kind == Some(Kind::Client));
            if let Some(client) = client {
                return Parent::Span(*client);
            }
        }
        let Some(parent_id) = &span.parent_id else { return Parent::None };
        let Some(candidates) = by_id.get(parent_id.as_str()) else { return Parent::Missing };
        // Both halves of a shared span have the parent's id: the half of the same service is the nearer one,
        // otherwise the server's half.
        let same_service = candidates.iter().find(|other| self.spans[**other].service == span.service);
        let server = candidates.iter().find(|other| self.spans[**other].shared);
        match same_service.or(server).or(candidates.first()) {
            Some(parent) if *parent != index => Parent::Span(*parent),
            _ => Parent::None,
        }
    }

    /// Depth-first from `tops`, without recursion: a hostile trace can be deeper than the stack.
    fn walk(&self, parents: &[Parent], tops: Vec<usize>) -> Vec<Row> {
        let mut below: Vec<Vec<usize>> = vec![Vec::new(); parents.len()];
        for (index, parent) in parents.iter().enumerate() {
            if let Parent::Span(parent) = parent {
                below[*parent].push(index);
            }
        }
        let mut rows = Vec::with_capacity(parents.len());
        let mut stack: Vec<Row> = tops.into_iter().rev().map(|span| Row { span, depth: 0 }).collect();
        while let Some(row) = stack.pop() {
            rows.push(row);
            let mut children = std::mem::take(&mut below[row.span]);
            self.sort_by_start(&mut children);
            stack.extend(children.into_iter().rev().map(|span| Row { span, depth: row.depth + 1 }));
        }
        rows
    }

    fn sort_by_start(&self, indexes: &mut [usize]) {
        indexes.sort_by_key(|index| (self.spans[*index].timestamp_us, *index));
    }

    /// The spans whose parent is as wanted, earliest first.
    fn placed(&self, wanted: impl Fn(Parent) -> bool) -> Vec<&Span> {
        let parents = self.parents();
        let matching = parents.iter().zip(&self.spans).filter(|(parent, _)| wanted(**parent));
        let mut spans: Vec<&Span> = matching.map(|(_, span)| &**span).collect();
        spans.sort_by_key(|span| span.timestamp_us);
        spans
    }
}

//! Why each header goes, stays, or was dropped (rule R14).

use std::fmt;

use crate::block::{Beside, Stored};
use crate::capture::DropReason;
use crate::carriers::Extract;
use crate::catalogue::Class;
use crate::destination::{Destination, Placement};
use crate::headers::ForwardHeaders;
use crate::inject::{Outbound, Verdict};

/// What becomes of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// It goes to the destination.
    Forwarded,
    /// It was captured, and does not go to this destination.
    HeldBack,
    /// It came in, and was not captured; or a tracer's span has taken its place (rule R13).
    Dropped,
}

impl Outcome {
    /// `forwarded`, `held_back` or `dropped`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Forwarded => "forwarded",
            Self::HeldBack => "held_back",
            Self::Dropped => "dropped",
        }
    }
}

/// One header of an [`Explanation`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// The name, in lower case.
    pub name: String,
    /// What it carries.
    pub class: Class,
    /// What becomes of it.
    pub outcome: Outcome,
    /// The rule of the contract that says so: `R1`.
    pub rule: &'static str,
    /// Why, for a reader.
    pub reason: String,
}

/// For one capture and one destination, what becomes of each header and which rule says so.
///
/// Holds names, never values. Prints as a table.
///
/// # Examples
///
/// ```
/// use onward::{Destination, Outcome};
///
/// let headers = onward::get_forward_headers(&[("x-request-id", "7f6c"), ("cookie", "a=b")]);
/// let outbound = http::HeaderMap::new();
/// let explanation = headers.explain(Some(&Destination::parse("https://api.example.com/")), &outbound);
/// let outcomes: Vec<_> = explanation.rows().iter().map(|row| (&*row.name, row.outcome, row.rule)).collect();
/// assert_eq!(outcomes, [("x-request-id", Outcome::Forwarded, "R1"), ("cookie", Outcome::HeldBack, "R8")]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    rows: Vec<Row>,
    placement: Option<Placement>,
    unrecorded: usize,
}

impl Explanation {
    /// The rows in policy order; dropped headers that a prefix rule selects last.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Where the destination lies; none if none was given.
    #[must_use]
    pub fn placement(&self) -> Option<Placement> {
        self.placement
    }
}

impl ForwardHeaders {
    /// Tells what [`inject_to`](Self::inject_to) would do (or, without a destination, [`inject`](Self::inject)), and
    /// what had been dropped before.
    pub fn explain<C: Extract + ?Sized>(
        &self,
        destination: Option<&Destination<'_>>,
        outbound: &C,
    ) -> Explanation {
        self.explain_with(destination, outbound, |_| false)
    }

    /// Like [`explain`](Self::explain), for an outbound carrier of which some lines are the client library's own
    /// defaults: `is_default` is asked by name.
    pub fn explain_with<C: Extract + ?Sized>(
        &self,
        destination: Option<&Destination<'_>>,
        outbound: &C,
        is_default: impl Fn(&str) -> bool,
    ) -> Explanation {
        self.leaving(|headers| headers.explanation(destination, outbound, is_default))
    }

    fn explanation<C: Extract + ?Sized>(
        &self,
        destination: Option<&Destination<'_>>,
        outbound: &C,
        is_default: impl Fn(&str) -> bool,
    ) -> Explanation {
        let mut explanation = Explanation { rows: Vec::new(), placement: None, unrecorded: 0 };
        let Some(propagator) = self.propagator() else { return explanation };
        let policy = propagator.policy();
        let placement = destination.map(|destination| policy.mesh.place(destination));
        let presigned = destination.is_some_and(|destination| destination.presigned);
        let decision = Outbound::new(policy, outbound, placement, presigned, is_default);
        explanation.placement = placement;
        // A listed name stands in its place, dropped or not; names under prefix rules have none but their order.
        let place = |rank| if policy.is_prefix(rank) { policy.exact } else { usize::from(rank) };
        let mut rows = Vec::new();
        let lines: Vec<_> = self.stored().collect();
        for header in lines.chunk_by(Stored::same_header) {
            let line = header[0];
            let rule = policy.rule(line.rank);
            let name = match line.name {
                [] => rule.name.as_str().to_owned(),
                name => String::from_utf8_lossy(name).into_owned(),
            };
            let (outcome, number, reason) = sentence(decision.verdict(rule, line.name), line.beside);
            rows.push((place(line.rank), Row { name, class: rule.class, outcome, rule: number, reason }));
        }
        for drop in crate::block::drops(self.block()) {
            let name = self.drop_name(&drop);
            if rows.iter().any(|(_, row)| row.name == name) {
                continue;
            }
            let (rule, reason) = match DropReason::from_number(drop.reason) {
                Some(reason) => ("R10", reason.to_string()),
                None => {
                    ("R13", "it says nothing of the tracer's current span, which is the parent now".into())
                }
            };
            let (name, class) = (name.into_owned(), policy.rule(drop.rank).class);
            rows.push((place(drop.rank), Row { name, class, outcome: Outcome::Dropped, rule, reason }));
        }
        rows.sort_by_key(|(place, _)| *place);
        explanation.rows = rows.into_iter().map(|(_, row)| row).collect();
        explanation.unrecorded = self.dropped_count() - self.dropped().count();
        explanation
    }
}

fn sentence(verdict: Verdict, beside: Beside) -> (Outcome, &'static str, String) {
    match verdict {
        Verdict::Forward => {
            let (rule, reason) = match beside {
                Beside::Nothing => ("R1", "it goes on as it came in"),
                Beside::Parent => ("R13", "it goes on with the tracer's current span as the parent"),
                Beside::OtherTrace => {
                    ("R13", "it goes on as it came in: the tracer's current span is of another trace")
                }
                Beside::Opaque => ("R13", "it goes on as it came in: only its own tracer can write it"),
            };
            (Outcome::Forwarded, rule, reason.into())
        }
        Verdict::CallerWins => {
            (Outcome::HeldBack, "R6", "the outbound request has it, or another header of its family".into())
        }
        Verdict::Outside(placement) => {
            (Outcome::HeldBack, "R8", format!("the destination {}", placement.reason()))
        }
        Verdict::Signed => (Outcome::HeldBack, "R8", "the outbound request is signed".into()),
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(placement) = self.placement {
            let side = match placement {
                Placement::Message | Placement::MessageWithCredentials => "no host",
                _ if placement.in_mesh() => "in the mesh",
                _ => "outside the mesh",
            };
            writeln!(f, "the destination is {side}: it {}", placement.reason())?;
        }
        let width = self.rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
        for Row { name, class, outcome, rule, reason } in &self.rows {
            let (class, outcome) = (class.as_str(), outcome.as_str());
            writeln!(f, "{name:width$}  {class:10}  {outcome:9}  {rule:3}  {reason}")?;
        }
        if self.unrecorded > 0 {
            writeln!(f, "and {} more lines dropped (R10)", self.unrecorded)?;
        }
        Ok(())
    }
}

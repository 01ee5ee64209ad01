//! Who calls whom: the links between services, computed from parents and children.

use std::collections::BTreeMap;

use super::span::{Direction, Span};
use super::trace::{Parent, Trace};

/// Calls from one service to another.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// The caller.
    pub parent: String,
    /// The called service.
    pub child: String,
    /// How many calls.
    pub call_count: u64,
    /// How many of them failed.
    pub error_count: u64,
}

/// The links of all `traces`, sorted by caller and called service.
///
/// A call is counted where a span's parent belongs to another service, where a service calls itself through the
/// network (an egress span above an ingress span), and where an egress span names a remote service that
/// reported nothing itself.
pub fn links<'a>(traces: impl IntoIterator<Item = &'a Trace>) -> Vec<Link> {
    let mut counted: BTreeMap<(&str, &str), (u64, u64)> = BTreeMap::new();
    for trace in traces {
        let parents = trace.parents();
        let mut answered = vec![false; trace.spans.len()];
        for (span, parent) in trace.spans.iter().zip(&parents) {
            let Parent::Span(index) = *parent else { continue };
            let above = &trace.spans[index];
            if above.service != span.service || is_call(above, span) {
                answered[index] = true;
                count(&mut counted, &above.service, &span.service, span.is_error());
            }
        }
        for (span, answered) in trace.spans.iter().zip(answered) {
            let remote = span.remote.as_ref().and_then(|remote| remote.service.as_deref());
            if let (false, Some(Direction::Egress), Some(remote)) = (answered, span.direction(), remote) {
                count(&mut counted, &span.service, remote, span.is_error());
            }
        }
    }
    let link = |((parent, child), (call_count, error_count)): ((&str, &str), (u64, u64))| Link {
        parent: parent.to_owned(),
        child: child.to_owned(),
        call_count,
        error_count,
    };
    counted.into_iter().map(link).collect()
}

fn is_call(above: &Span, below: &Span) -> bool {
    above.direction() == Some(Direction::Egress) && below.direction() == Some(Direction::Ingress)
}

fn count<'a>(
    counted: &mut BTreeMap<(&'a str, &'a str), (u64, u64)>,
    from: &'a str,
    to: &'a str,
    error: bool,
) {
    let (calls, errors) = counted.entry((from, to)).or_default();
    *calls += 1;
    *errors += u64::from(error);
}

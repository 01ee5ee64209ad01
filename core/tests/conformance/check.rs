//! One case: what is expected against what the core does.

use std::collections::BTreeSet;
use std::fmt::Debug;

use onward::{Destination, ForwardHeaders, PolicyError, Propagator};

use crate::carriers::{DefaultUserAgent, Held, ManyLines, Message, OneValue, header_map, is_user_agent};
use crate::vectors::{ByteLines, Case, ExpectedId, byte_lines};

/// Runs a case and tells what is wrong.
pub(crate) fn check(case: &Case) -> Vec<String> {
    let mut failures = Vec::new();
    match (build(case), &case.error) {
        (Ok(_), Some(expected)) => failures.push(format!("no error, expected {}", expected.kind)),
        (Err(error), None) => failures.push(format!("the policy is refused: {error}")),
        (Err(error), Some(expected)) => {
            compare(&mut failures, "error", &error.kind().code(), &&*expected.kind);
            if let Some(token) = &expected.token {
                compare(&mut failures, "token", &error.token(), &&**token);
            }
        }
        (Ok(propagator), None) => {
            check_policy(case, &propagator, &mut failures);
            check_headers(case, &propagator, &mut failures);
        }
    }
    failures
}

fn build(case: &Case) -> Result<Propagator, PolicyError> {
    let mut builder = Propagator::builder().variables(|name| case.env.get(name).cloned());
    if let Some(bytes) = case.limits.max_bytes {
        builder = builder.max_bytes(bytes);
    }
    if let Some(lines) = case.limits.max_prefix_headers {
        builder = builder.max_prefix_headers(lines);
    }
    builder.build()
}

fn check_policy(case: &Case, propagator: &Propagator, failures: &mut Vec<String>) {
    if let Some(expected) = &case.policy {
        let plan = propagator.plan();
        let names = plan.headers.iter().map(|header| header.name.clone());
        let prefixes = plan.prefixes.iter().map(|header| format!("{}*", header.name));
        compare(failures, "policy", &names.chain(prefixes).collect::<Vec<_>>(), expected);
    }
    let Some(text) = &case.destination else { return };
    let in_mesh = propagator.in_mesh(&Destination::parse(text));
    if let Some(expected) = case.in_mesh {
        compare(failures, "in_mesh", &in_mesh, &expected);
    }
    // The same destination as the crate http reads it.
    if let Ok(uri) = text.parse::<http::Uri>()
        && uri.host().is_some()
    {
        compare(failures, "in_mesh of the Uri", &propagator.in_mesh(&Destination::from(&uri)), &in_mesh);
    }
}

fn check_headers(case: &Case, propagator: &Propagator, failures: &mut Vec<String>) {
    let beside = |headers: ForwardHeaders| match &case.span {
        Some(span) => headers.with_parent(&span.context()),
        None => headers,
    };
    let Some(inbound) = case.inbound.as_deref().map(byte_lines) else {
        return check_capture(case, "no request", &beside(onward::current()), failures);
    };
    check_capture(case, "pairs", &beside(propagator.extract(&inbound)), failures);
    if let Some(map) = header_map(&inbound) {
        check_capture(case, "HeaderMap", &beside(propagator.extract(&map)), failures);
    }
}

fn check_capture(case: &Case, from: &str, headers: &ForwardHeaders, failures: &mut Vec<String>) {
    let before = byte_lines(&case.outbound);
    if let Some(expected) = &case.lines {
        let expected = after(&before, &byte_lines(expected));
        let lines = injected(case, headers, ManyLines(before.clone()));
        compare_lines(failures, &format!("{from} to lines"), &lines, &expected);
        let by_name = injected(case, headers, header_map(&before).expect("a request that http can hold"));
        compare_lines(failures, &format!("{from} to HeaderMap"), &sorted(by_name), &sorted(lower(&expected)));
        if let Some(message) = &case.message {
            let mut known = Message(before.clone());
            if message.credentials {
                headers.inject_to(&Destination::message_with_credentials(), &mut known);
            } else {
                headers.inject(&mut known);
            }
            compare_lines(failures, &format!("{from} to a carrier of messages"), &known.0, &expected);
            if let (true, Some(propagator)) = (before.is_empty(), headers.propagator()) {
                let read = lines_of(&propagator.extract(&known));
                compare_lines(failures, &format!("{from}, read from the message"), &read, &expected);
            }
        }
        if before.is_empty() && case.destination().is_none() {
            compare_lines(failures, &format!("{from}, captured"), &lines_of(headers), &expected);
        }
    }
    if let Some(expected) = &case.single {
        let expected = after(&before, &byte_lines(expected));
        let lines = injected(case, headers, OneValue(before.clone()));
        compare_lines(failures, &format!("{from} to single values"), &lines, &expected);
    }
    if let Some(expected) = &case.dropped {
        let dropped: BTreeSet<_> =
            headers.dropped().map(|(name, reason)| (name.into_owned(), reason.code().to_owned())).collect();
        compare(failures, &format!("{from}, dropped"), &dropped, expected);
    }
    if let Some(ExpectedId(expected)) = &case.request_id {
        compare(failures, &format!("{from}, request_id"), &headers.request_id(), &expected.as_deref());
    }
    if let Some(ExpectedId(expected)) = &case.trace_id {
        compare(failures, &format!("{from}, trace_id"), &headers.trace_id().as_deref(), &expected.as_deref());
    }
    if let Some(expected) = &case.explain {
        let destination = case.destination();
        let is_default = |name: &str| case.default_user_agent && is_user_agent(name);
        let explanation = headers.explain_with(destination.as_ref(), &before, is_default);
        let rows: Vec<_> = explanation
            .rows()
            .iter()
            .map(|row| (row.name.clone(), row.outcome.as_str().to_owned(), row.rule.to_owned()))
            .collect();
        compare(failures, &format!("{from}, explain"), &rows, expected);
    }
}

fn lines_of(headers: &ForwardHeaders) -> ByteLines {
    headers.iter().map(|(name, value)| (name.into(), value.into())).collect()
}

/// What the outbound request is expected to hold in the end.
fn after(before: &ByteLines, added: &ByteLines) -> ByteLines {
    let replaced = |name: &[u8]| added.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
    before.iter().filter(|(name, _)| !replaced(name)).chain(added).cloned().collect()
}

/// What the outbound request holds after injection.
fn injected<C: Held>(case: &Case, headers: &ForwardHeaders, outbound: C) -> ByteLines {
    fn run<C: Held>(case: &Case, headers: &ForwardHeaders, mut outbound: C) -> ByteLines {
        match case.destination() {
            Some(destination) => headers.inject_to(&destination, &mut outbound),
            None => headers.inject(&mut outbound),
        }
        outbound.held()
    }
    if case.default_user_agent {
        run(case, headers, DefaultUserAgent(outbound))
    } else {
        run(case, headers, outbound)
    }
}

fn lower(lines: &ByteLines) -> ByteLines {
    lines.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect()
}

/// By name; the lines of one name keep their order.
fn sorted(mut lines: ByteLines) -> ByteLines {
    lines.sort_by(|a, b| a.0.cmp(&b.0));
    lines
}

fn compare_lines(failures: &mut Vec<String>, what: &str, actual: &ByteLines, expected: &ByteLines) {
    let readable = |lines: &ByteLines| {
        let text = |bytes: &[u8]| {
            let text = bytes.escape_ascii().to_string();
            if text.len() > 80 { format!("{}... ({} bytes)", &text[..60], bytes.len()) } else { text }
        };
        lines.iter().map(|(name, value)| format!("{}: {}", text(name), text(value))).collect::<Vec<_>>()
    };
    if actual != expected {
        failures.push(format!(
            "{what}\n    is       {:?}\n    expected {:?}",
            readable(actual),
            readable(expected)
        ));
    }
}

fn compare<T: PartialEq + Debug>(failures: &mut Vec<String>, what: &str, actual: &T, expected: &T) {
    if actual != expected {
        failures.push(format!("{what}\n    is       {actual:?}\n    expected {expected:?}"));
    }
}

//! Runs the contract, `conformance/`, against the core.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside of any #[test] function"
)]

mod carriers;
mod check;
mod vectors;

use vectors::{Case, load};

#[test]
fn every_vector_holds() {
    let (mut failures, mut cases) = (Vec::new(), 0);
    for file in load() {
        for case in &file.cases {
            cases += 1;
            for failure in check::check(case) {
                failures.push(format!("{}/{} ({}): {failure}", file.group, case.name, case.rule));
            }
        }
    }
    assert!(cases >= 120, "only {cases} cases");
    assert!(failures.is_empty(), "{} of {cases} cases:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_case_has_a_name_of_its_own() {
    let mut names: Vec<_> = load().into_iter().flat_map(|file| file.cases).map(|case| case.name).collect();
    names.sort();
    let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

#[test]
fn every_rule_that_data_can_state_is_covered() {
    let rules: std::collections::BTreeSet<_> =
        load().into_iter().flat_map(|file| file.cases).map(|case| case.rule).collect();
    let expected = ["R1", "R10", "R12", "R13", "R14", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R9"];
    assert_eq!(rules.into_iter().collect::<Vec<_>>(), expected);
}

/// The negative control: each expectation, made wrong, must be reported.
#[test]
fn a_wrong_expectation_is_reported() {
    let base = r#""name": "n", "rule": "R1", "reason": "r.", "inbound": [["x-request-id", "1"], ["jwt", "\n"]], "destination": "http://a/""#;
    for wrong in [
        r#""lines": [["x-request-id", "2"]]"#,
        r#""lines": []"#,
        r#""lines": [["x-request-id", "1"], ["jwt", "x"]]"#,
        r#""lines": [["x-request-id", "1"]], "single": []"#,
        r#""dropped": []"#,
        r#""explain": [["x-request-id", "held_back", "R8"], ["jwt", "dropped", "R10"]]"#,
        r#""policy": ["x-request-id"]"#,
        r#""in_mesh": false"#,
        r#""request_id": null"#,
        r#""trace_id": "1""#,
        r#""error": { "kind": "empty_token" }"#,
    ] {
        let case: Case = serde_json::from_str(&format!("{{ {base}, {wrong} }}")).unwrap();
        assert!(!check::check(&case).is_empty(), "not reported: {wrong}");
    }
    let message = r#""name": "n", "rule": "R8", "reason": "r.", "inbound": [["x-request-id", "1"], ["cookie", "a=b"]], "message": {}"#;
    for wrong in [
        r#""lines": [["x-request-id", "1"], ["cookie", "a=b"]]"#,
        r#""explain": [["x-request-id", "forwarded", "R1"], ["cookie", "forwarded", "R1"]]"#,
    ] {
        let case: Case = serde_json::from_str(&format!("{{ {message}, {wrong} }}")).unwrap();
        assert!(!check::check(&case).is_empty(), "not reported: {wrong}");
    }
    let span = r#""name": "n", "rule": "R13", "reason": "r.", "inbound": [["b3", "0"]], "span": { "trace_id": "80f198ee56343ba864fe8b2a57d3eff7", "span_id": "00f067aa0ba902b7", "sampled": true }"#;
    for wrong in [r#""lines": [["b3", "0"]]"#, r#""explain": [["b3", "forwarded", "R1"]]"#] {
        let case: Case = serde_json::from_str(&format!("{{ {span}, {wrong} }}")).unwrap();
        assert!(!check::check(&case).is_empty(), "not reported: {wrong}");
    }
    let right =
        r#""lines": [["x-request-id", "1"]], "dropped": [["jwt", "forbidden_byte"]], "in_mesh": true"#;
    let case: Case = serde_json::from_str(&format!("{{ {base}, {right} }}")).unwrap();
    assert_eq!(check::check(&case), Vec::<String>::new());
}

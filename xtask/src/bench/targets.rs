//! What is to be held, from `benches/targets.json`.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{
    languages::{Measured, Measurement},
    report::{Against, PathRow},
};

const FIXTURES: [&str; 2] = ["S", "L"];

#[derive(Deserialize)]
pub(super) struct Targets {
    ratios: Vec<Ratio>,
    /// Of a server's throughput without propagation, by server.
    pub(super) kept: BTreeMap<String, f64>,
    /// Bytes that a request in flight may hold beside what it forwards.
    pub(super) memory_overhead: u64,
    pub(super) counts: Vec<CountTarget>,
}

/// One path, and which of its contenders are compared.
#[derive(Deserialize)]
struct Ratio {
    language: String,
    path: String,
    label: Option<String>,
    #[serde(default = "onward")]
    onward: String,
    /// The contender that stands for the hand-written loop.
    #[serde(default = "hand_written", rename = "loop")]
    hand_written_as: String,
    /// At least so many times the speed, for S and L.
    hand_written: Option<[f64; 2]>,
    opentelemetry: Option<[f64; 2]>,
}

fn onward() -> String {
    "onward".into()
}

fn hand_written() -> String {
    "hand_written".into()
}

/// At most so many, for Onward on a Rust path. Exceeding it fails the run.
#[derive(Deserialize)]
pub(super) struct CountTarget {
    pub(super) path: String,
    pub(super) fixture: String,
    pub(super) allocations: u64,
    /// What it should come down to, where that is less.
    pub(super) target: Option<u64>,
}

impl Targets {
    pub(super) fn read(root: &Path) -> Result<Self> {
        let file = root.join("benches/targets.json");
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        serde_json::from_str(&text).with_context(|| format!("cannot understand {}", file.display()))
    }

    /// The rows of a language: what has targets in their order, then the rest of what was measured.
    pub(super) fn rows(&self, language: &str, measured: &Measured) -> Vec<PathRow> {
        let known = || self.ratios.iter().filter(|ratio| ratio.language == language);
        let without = measured.results.iter().filter(|one| known().all(|ratio| ratio.path != one.path));
        let mut names: Vec<_> = without.map(|one| one.path.as_str()).collect();
        names.dedup();
        names.sort_unstable();
        names.dedup();
        let more: Vec<_> = names.into_iter().map(|path| Ratio::bare(language, path)).collect();
        let mut rows = Vec::new();
        for ratio in known().chain(&more) {
            for (at, fixture) in FIXTURES.iter().enumerate() {
                let one =
                    measured.results.iter().find(|one| one.path == ratio.path && one.fixture == *fixture);
                rows.extend(one.and_then(|one| ratio.row(one, at)));
            }
        }
        rows
    }
}

impl Ratio {
    fn bare(language: &str, path: &str) -> Self {
        Self {
            language: language.into(),
            path: path.into(),
            label: None,
            onward: onward(),
            hand_written_as: hand_written(),
            hand_written: None,
            opentelemetry: None,
        }
    }

    fn row(&self, one: &Measurement, at: usize) -> Option<PathRow> {
        let onward_ns = one.ns(&self.onward)?;
        let against = |contender: &str, targets: Option<[f64; 2]>| {
            let ns = one.ns(contender)?;
            Some(Against { ns, ratio: ns / onward_ns, target: targets.map(|targets| targets[at]) })
        };
        Some(PathRow {
            language: self.language.clone(),
            path: self.label.clone().unwrap_or_else(|| self.path.clone()),
            fixture: one.fixture.clone(),
            onward_ns,
            hand_written: against(&self.hand_written_as, self.hand_written),
            opentelemetry: against("opentelemetry", self.opentelemetry),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(ratios: &str, results: &str) -> Vec<PathRow> {
        let targets = format!(r#"{{"ratios":{ratios},"kept":{{}},"memory_overhead":128,"counts":[]}}"#);
        let targets: Targets = serde_json::from_str(&targets).unwrap();
        targets.rows("node", &serde_json::from_str(results).unwrap())
    }

    const MEASURED: &str =
        r#"{"rows":[{"path":"a","fixture":"L","ns":{"onward":10,"handWritten":45,"openTelemetry":20}}]}"#;

    #[test]
    fn a_ratio_is_what_the_other_takes_for_each_nanosecond_of_onward() {
        let rows = rows(r#"[{"language":"node","path":"a","hand_written":[9,5]}]"#, MEASURED);
        let against = rows[0].hand_written.as_ref().unwrap();
        assert_eq!(format!("{} of {:?}", against.ratio, against.target), "4.5 of Some(5.0)");
        assert_eq!(rows[0].opentelemetry.as_ref().unwrap().ratio.to_string(), "2");
    }

    #[test]
    fn what_has_no_target_is_shown_all_the_same() {
        let rows = rows("[]", MEASURED);
        assert_eq!((rows.len(), rows[0].path.as_str()), (1, "a"));
        assert_eq!(rows[0].hand_written.as_ref().unwrap().target, None);
    }

    #[test]
    fn the_committed_targets_can_be_read() {
        let targets = Targets::read(&crate::setup::root().unwrap()).unwrap();
        assert_eq!(targets.kept.len(), 4);
    }
}

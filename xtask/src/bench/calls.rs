//! A Node service whose requests each make one call: one program measures, and this compares.

use std::{collections::BTreeMap, path::Path, process::Command};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{
    report::{CallRow, Kept},
    runner::Runner,
};

/// What the program prints: for each client and fixture the ways one after the other.
#[derive(Deserialize)]
struct Measured {
    results: Vec<Way>,
}

#[derive(Deserialize)]
struct Way {
    client: String,
    fixture: String,
    #[serde(rename = "way")]
    name: String,
    per_second: f64,
    cpu_ns: f64,
}

pub(super) fn measure(runner: &Runner, node: &Path) -> Result<Vec<CallRow>> {
    let mut command = Command::new(node);
    command.arg("benches/calls/main.mjs").current_dir(runner.root.join("bindings/node"));
    command.args(["--json", "--rounds", &runner.rounds.to_string()]);
    let json = runner.json("measuring a Node service that calls another", command)?;
    let measured: Measured =
        serde_json::from_value(json).context("the benchmark of calls prints something else")?;
    let same = |a: &Way, b: &Way| (&a.client, &a.fixture) == (&b.client, &b.fixture);
    measured.results.chunk_by(same).map(row).collect()
}

fn row(ways: &[Way]) -> Result<CallRow> {
    let none =
        ways.iter().find(|way| way.name == "none").context("a call without forwarding was not measured")?;
    let kept =
        |way: &Way| Kept { throughput: way.per_second / none.per_second, per_cpu: none.cpu_ns / way.cpu_ns };
    let others = ways.iter().filter(|way| way.name != none.name);
    Ok(CallRow {
        client: none.client.clone(),
        fixture: none.fixture.clone(),
        requests_per_second: none.per_second,
        cpu_ns: none.cpu_ns,
        ways: others.map(|way| (way.name.clone(), kept(way))).collect::<BTreeMap<_, _>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_keeps_a_part_of_what_there_is_without() {
        let way = |(name, per_second, cpu_ns): (&str, f64, f64)| Way {
            client: "fetch".into(),
            fixture: "S".into(),
            name: name.into(),
            per_second,
            cpu_ns,
        };
        assert!(row(&[way(("onward", 80.0, 125.0))]).is_err());
        let row = row(&[("none", 100.0, 100.0), ("onward", 80.0, 125.0)].map(way)).unwrap();
        assert_eq!(row.ways.len(), 1);
        let onward = &row.ways["onward"];
        assert_eq!(format!("{} {}", onward.throughput, onward.per_cpu), "0.8 0.8");
    }
}

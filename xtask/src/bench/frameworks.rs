//! Every Rust framework end to end: one program measures, and this compares.

use std::{path::Path, process::Command};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{
    report::{Cost, FrameworkRow},
    runner::Runner,
};

/// What the program prints: for each framework and fixture the ways one after the other.
#[derive(Deserialize)]
struct Measured {
    results: Vec<Way>,
}

#[derive(Deserialize)]
struct Way {
    server: String,
    fixture: String,
    #[serde(rename = "way")]
    name: String,
    cpu_ns: f64,
    allocations: f64,
}

pub(super) fn measure(runner: &Runner, program: &Path) -> Result<Vec<FrameworkRow>> {
    let mut command = Command::new(program);
    command.arg(runner.rounds.to_string());
    let json = runner.json("measuring every framework", command)?;
    let measured: Measured =
        serde_json::from_value(json).context("the benchmark of the frameworks prints something else")?;
    let same = |a: &Way, b: &Way| (&a.server, &a.fixture) == (&b.server, &b.fixture);
    measured.results.chunk_by(same).map(row).collect()
}

fn row(ways: &[Way]) -> Result<FrameworkRow> {
    let way = |name: &str| {
        let way = ways.iter().find(|way| way.name == name);
        way.with_context(|| format!("{}: {name} was not measured", ways[0].server))
    };
    let none = way("none")?;
    let cost = |name: &str| {
        let way = way(name)?;
        Ok::<_, anyhow::Error>(Cost {
            per_cpu: none.cpu_ns / way.cpu_ns,
            allocations: way.allocations - none.allocations,
        })
    };
    Ok(FrameworkRow {
        framework: none.server.clone(),
        fixture: none.fixture.clone(),
        cpu_ns: none.cpu_ns,
        allocations: none.allocations,
        hand_written: cost("hand_written")?,
        opentelemetry: cost("opentelemetry")?,
        onward: cost("onward")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_costs_what_it_needs_more_than_no_propagation() {
        let ways = [("none", 80.0, 100.0), ("hand_written", 100.0, 117.0), ("opentelemetry", 160.0, 200.0)];
        let way = |(name, cpu_ns, allocations): (&str, f64, f64)| Way {
            server: "axum".into(),
            fixture: "S".into(),
            name: name.into(),
            cpu_ns,
            allocations,
        };
        let mut ways: Vec<_> = ways.map(way).into();
        assert!(row(&ways).is_err());
        ways.push(way(("onward", 80.0, 104.0)));
        let row = row(&ways).unwrap();
        assert_eq!(format!("{} {}", row.hand_written.per_cpu, row.hand_written.allocations), "0.8 17");
        assert_eq!(format!("{} {}", row.onward.per_cpu, row.onward.allocations), "1 4");
    }
}

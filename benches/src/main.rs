//! Measures the Rust paths against the hand-written loop and OpenTelemetry, in one process and interleaved.
//!
//! Prints one JSON object a line: path, fixture, contender, median in nanoseconds, allocations.
//!
//! With the arguments `once PATH FIXTURE CONTENDER N` it runs one contender N times and prints nothing: what Callgrind
//! counts.

mod contenders;
mod count;
mod fixtures;

use std::time::Instant;

use contenders::{Contender, EXTRACT, FORWARD, Setup};

const ROUNDS: usize = 41;
const CALLS: u32 = 4000;

const PATHS: &[(&str, &[(&str, Contender)])] = &[("forward", FORWARD), ("extract", EXTRACT)];
const FIXTURES: &[(&str, &[(&str, &str)])] = &[("S", fixtures::S), ("L", fixtures::L)];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [once, path, fixture, contender, calls] = &arguments[..]
        && once == "once"
    {
        return run_once(path, fixture, contender, calls.parse()?);
    }
    for (fixture, headers) in FIXTURES {
        let setup = Setup::new(fixtures::map(headers))?;
        for (path, contenders) in PATHS {
            let medians = medians(&setup, contenders);
            for ((contender, run), median) in contenders.iter().zip(medians) {
                run(&setup);
                let allocations = count::allocations(|| run(&setup));
                println!(
                    "{}",
                    serde_json::json!({
                        "path": path, "fixture": fixture, "contender": contender,
                        "median_ns": median, "allocations": allocations,
                    })
                );
            }
        }
    }
    Ok(())
}

/// Median nanoseconds a call, over interleaved rounds.
fn medians(setup: &Setup, contenders: &[(&str, Contender)]) -> Vec<f64> {
    let mut times = vec![Vec::with_capacity(ROUNDS); contenders.len()];
    for _ in 0..ROUNDS {
        for ((_, run), times) in contenders.iter().zip(&mut times) {
            let start = Instant::now();
            for _ in 0..CALLS {
                run(setup);
            }
            times.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS));
        }
    }
    times
        .into_iter()
        .map(|mut times| {
            times.sort_by(f64::total_cmp);
            times[ROUNDS / 2]
        })
        .collect()
}

fn run_once(path: &str, fixture: &str, contender: &str, calls: u32) -> Result<(), Box<dyn std::error::Error>> {
    let find = |name: &str| format!("there is no {name}");
    let (_, contenders) = PATHS.iter().find(|(name, _)| *name == path).ok_or_else(|| find(path))?;
    let (_, headers) = FIXTURES.iter().find(|(name, _)| *name == fixture).ok_or_else(|| find(fixture))?;
    let (_, run) = contenders.iter().find(|(name, _)| *name == contender).ok_or_else(|| find(contender))?;
    let setup = Setup::new(fixtures::map(headers))?;
    for _ in 0..calls {
        run(&setup);
    }
    Ok(())
}

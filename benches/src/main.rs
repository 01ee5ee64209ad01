//! Measures the Rust paths against the hand-written loop and OpenTelemetry, in one process and interleaved.
//!
//! Usage: `onward-benches [ROUNDS]`. Prints one JSON object: for each path and fixture the median nanoseconds and the
//! allocations of each contender, and what a captured request holds in memory.
//!
//! With the arguments `load PORT ROUNDS` it measures a whole server instead. With `once PATH FIXTURE CONTENDER CALLS` it runs one
//! contender that often and prints nothing: what Callgrind counts.

mod contenders;
mod load;

use std::{collections::BTreeMap, error::Error, time::Duration};

use contenders::{PATHS, Path, Setup};
use http::HeaderMap;
use onward_benches::{
    count,
    fixtures::{self, FIXTURES},
    median,
};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

const ROUNDS: usize = 41;
/// How often a contender runs through the ring of maps in one round.
const LAPS: u32 = 200;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => compare(ROUNDS),
        [rounds] => compare(rounds.parse::<usize>()?.max(1)),
        ["load", port, rounds] => load::run(port.parse()?, rounds.parse::<usize>()?.max(1)),
        ["once", path, fixture, contender, calls] => once(path, fixture, contender, calls.parse()?),
        _ => Err("arguments: [ROUNDS], load PORT ROUNDS, or once PATH FIXTURE CONTENDER CALLS".into()),
    }
}

fn compare(rounds: usize) -> Result<(), Box<dyn Error>> {
    let setup = Setup::new()?;
    let (mut results, mut memory) = (Vec::new(), Vec::new());
    for (fixture, headers) in FIXTURES {
        let ring = fixtures::ring(headers);
        for path in PATHS {
            results.push(json!({
                "path": path.name,
                "fixture": fixture,
                "ns": medians(&setup, &ring, path, rounds),
                "allocations": allocations(&setup, &ring[0], path),
            }));
        }
        memory.push(held(&setup, &ring[0], fixture));
    }
    println!("{}", json!({ "rounds": rounds, "results": results, "memory": memory }));
    Ok(())
}

/// What this thread has had of a processor: time that went to other programs does not count.
fn processor_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}

/// Median nanoseconds a call, over interleaved rounds.
fn medians(setup: &Setup, ring: &[HeaderMap], path: &Path, rounds: usize) -> BTreeMap<&'static str, f64> {
    let mut times = vec![Vec::with_capacity(rounds); path.contenders.len()];
    for _ in 0..rounds {
        for ((_, run), times) in path.contenders.iter().zip(&mut times) {
            let start = processor_time();
            for _ in 0..LAPS {
                for inbound in ring {
                    run(setup, inbound);
                }
            }
            times.push(
                processor_time().saturating_sub(start).as_secs_f64() * 1e9 / f64::from(LAPS * fixtures::RING),
            );
        }
    }
    let names = path.contenders.iter().map(|(name, _)| *name);
    names.zip(times.iter_mut().map(|times| median(times))).collect()
}

fn allocations(setup: &Setup, inbound: &HeaderMap, path: &Path) -> BTreeMap<&'static str, usize> {
    let count = |(name, run): &(&'static str, contenders::Contender)| {
        // The first call may fill a cache.
        run(setup, inbound);
        (*name, count::heap(|| run(setup, inbound)).1.allocations)
    };
    path.contenders.iter().map(count).collect()
}

/// What one request in flight holds: on the heap, and in the handle itself.
fn held(setup: &Setup, inbound: &HeaderMap, fixture: &str) -> Value {
    let (headers, heap) = count::heap(|| setup.extract(inbound));
    let forwarded: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    let handle = size_of_val(&headers);
    json!({ "fixture": fixture, "heap": heap.held, "handle": handle, "forwarded": forwarded })
}

fn once(path: &str, fixture: &str, contender: &str, calls: usize) -> Result<(), Box<dyn Error>> {
    let unknown = |name: &str| format!("there is no {name}");
    let path = PATHS.iter().find(|each| each.name == path).ok_or_else(|| unknown(path))?;
    let (_, headers) = FIXTURES.iter().find(|(name, _)| *name == fixture).ok_or_else(|| unknown(fixture))?;
    let mut contenders = path.contenders.iter();
    let (_, run) = contenders.find(|(name, _)| *name == contender).ok_or_else(|| unknown(contender))?;
    let setup = Setup::new()?;
    let ring = fixtures::ring(headers);
    for inbound in ring.iter().cycle().take(calls) {
        run(&setup, inbound);
    }
    Ok(())
}

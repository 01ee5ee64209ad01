//! `cargo xtask bench`: Onward against the hand-written loop and OpenTelemetry's propagators, as ratios.

mod calls;
mod counts;
mod frameworks;
mod languages;
mod report;
mod runner;
mod servers;
mod table;
mod targets;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::ValueEnum;
use onward_mesh::progress::Progress;

use crate::{setup::Setup, stop::INTERRUPTED};
use report::Report;
use runner::Runner;
use servers::Server;
use targets::Targets;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// What to measure [default: everything]
    #[arg(value_enum)]
    what: Vec<What>,
    /// Print one line of JSON on standard output and everything else on standard error
    #[arg(long)]
    json: bool,
    /// How many interleaved rounds each number is the median of
    #[arg(long, value_name = "N", default_value_t = 31, value_parser = clap::value_parser!(u32).range(25..=1000))]
    rounds: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// The Rust paths: time, allocations, instructions, memory
    Rust,
    /// The Python paths
    Python,
    /// The Node paths
    Node,
    /// Whole servers: axum, Flask, Starlette, Node http
    Server,
    /// Every Rust framework, each request with one call by reqwest
    Frameworks,
    /// A Node service, each request with one call, by fetch and by node:http
    Calls,
}

/// Fails if something could not be measured, or if a count is above what is written down. Never because of time.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let runner = Runner::new(Progress::new(), args.rounds)?;
    match measure(&runner, args) {
        Err(_) if runner.is_interrupted() => Ok(ExitCode::from(INTERRUPTED)),
        Err(error) => Err(error),
        Ok(report) => {
            let text = table::render(&report);
            if args.json {
                anstream::eprint!("{text}");
                println!("{}", serde_json::to_string(&report)?);
            } else {
                anstream::print!("{text}");
            }
            let held = report.counts.iter().all(|count| count.held() != Some(false));
            Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

fn measure(runner: &Runner, args: &Args) -> Result<Report> {
    let what = if args.what.is_empty() { What::value_variants() } else { &args.what };
    let targets = Targets::read(&runner.root)?;
    // All of it is built before anything is measured.
    let setup = runner.setup()?;
    let programs = Programs::set_up(runner, &setup, what)?;
    drop(setup);

    let mut report = Report::new(args.rounds);
    if let Some(rust) = programs.rust.as_ref().filter(|_| what.contains(&What::Rust)) {
        let measured = languages::rust(runner, rust)?;
        report.paths.extend(targets.rows("rust", &measured));
        report.memory = measured.memory(&targets);
        report.counts = counts::collect(runner, rust, &measured, &targets)?;
    }
    if let Some(python) = &programs.python {
        report.paths.extend(targets.rows("python", &languages::python(runner, python)?));
    }
    if let Some(node) = programs.node.as_ref().filter(|_| what.contains(&What::Node)) {
        report.paths.extend(targets.rows("node", &languages::node(runner, node)?));
    }
    if let Some(client) = &programs.rust {
        report.servers = servers::measure(runner, &programs.servers, client, &targets)?;
    }
    if let Some(frameworks) = &programs.frameworks {
        report.frameworks = frameworks::measure(runner, frameworks)?;
    }
    if let Some(node) = programs.node.as_ref().filter(|_| what.contains(&What::Calls)) {
        report.calls = calls::measure(runner, node)?;
    }
    Ok(report)
}

/// What measures.
struct Programs {
    /// Also the load client of the servers.
    rust: Option<PathBuf>,
    python: Option<PathBuf>,
    node: Option<PathBuf>,
    servers: Vec<Server>,
    frameworks: Option<PathBuf>,
}

impl Programs {
    fn set_up(runner: &Runner, setup: &Setup, what: &[What]) -> Result<Self> {
        let wanted = |one| what.contains(&one).then_some(());
        Ok(Self {
            rust: wanted(What::Rust)
                .or_else(|| wanted(What::Server))
                .map(|()| setup.rust_release("onward-benches", "onward-benches", "release"))
                .transpose()?,
            python: wanted(What::Python).map(|()| languages::set_up_python(runner, setup)).transpose()?,
            node: wanted(What::Node)
                .or_else(|| wanted(What::Calls))
                .map(|()| languages::set_up_node(runner, setup))
                .transpose()?,
            servers: wanted(What::Server)
                .map(|()| servers::set_up(runner, setup))
                .transpose()?
                .unwrap_or_default(),
            frameworks: wanted(What::Frameworks)
                .map(|()| setup.rust_release("onward-bench-frameworks", "onward-bench-frameworks", "service"))
                .transpose()?,
        })
    }
}

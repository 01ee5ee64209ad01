//! `cargo xtask test`: every test of the repository, in steps that also run alone.

mod backends;
mod browser;
mod conformance;
mod crates;
mod deploy;
mod features;
mod lint;
mod mesh;
mod node;
mod packages;
mod python;
mod rust;
mod session;
mod tally;

use std::process::ExitCode;

use anyhow::Result;
use clap::ValueEnum;
use onward_mesh::progress::Progress;

use crate::stop::INTERRUPTED;
use session::Session;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// What to test [default: everything]
    #[arg(value_enum)]
    steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Step {
    /// Formatting, lints and types in all languages, and what must not stand in the tree
    Lint,
    /// The core with every set of features, the macro, the Rust services, the documentation
    Rust,
    /// The Python package, its matrix, and productpage
    Python,
    /// The Node package, its matrix, details and ratings
    Node,
    /// The vectors against their schema, and the runner of every language
    Conformance,
    /// The packages as users get them, in clean environments, on every Python of the machine
    Packages,
    /// Bookinfo's images and manifests for a cluster, against the schemas of Kubernetes and Istio
    Deploy,
    /// The mesh with real Envoys, and that it shows broken traces with Onward switched off
    Mesh,
    /// Bookinfo's traces in a real Zipkin and a real Jaeger; Jaeger takes minutes to build, once, and only if asked for
    Backends,
    /// The trace viewer in Chromium
    Browser,
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Lint => "lint",
            Self::Rust => "rust",
            Self::Python => "python",
            Self::Node => "node",
            Self::Conformance => "conformance",
            Self::Packages => "packages",
            Self::Deploy => "deploy",
            Self::Mesh => "mesh",
            Self::Backends => "backends",
            Self::Browser => "browser",
        }
    }

    fn run(self, session: &mut Session, selected: &[Self]) -> Result<()> {
        match self {
            Self::Lint => lint::run(session),
            Self::Rust => rust::run(session),
            Self::Python => python::run(session),
            Self::Node => node::run(session),
            Self::Conformance => {
                let alone = |step| !selected.contains(&step);
                conformance::run(session, alone(Self::Rust), alone(Self::Python), alone(Self::Node))
            }
            Self::Packages => packages::run(session),
            Self::Deploy => deploy::run(session),
            Self::Mesh => mesh::run(session),
            Self::Backends => backends::run(session, selected != Self::value_variants()),
            Self::Browser => browser::run(session),
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let mut steps = if args.steps.is_empty() { Step::value_variants().to_vec() } else { args.steps.clone() };
    steps.sort_unstable();
    steps.dedup();
    let mut session = Session::new(Progress::new())?;
    for step in &steps {
        session.begin(step.name());
        if let Err(error) = step.run(&mut session, &steps) {
            if session.is_interrupted() {
                return Ok(ExitCode::from(INTERRUPTED));
            }
            session.give_up(&error);
        }
        session.end();
    }
    let total = session.summary();
    Ok(if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

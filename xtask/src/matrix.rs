//! `cargo xtask matrix`: every framework with every client, against real servers, and every tracer with every language;
//! and the tables in the documentation.

use std::{
    path::Path,
    process::{Command, ExitCode},
};

use anyhow::{Context, Result};
use clap::ValueEnum;
use onward_mesh::progress::Progress;

use crate::setup::{self, Setup};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Whose frameworks and clients, or the tracers
    #[arg(value_enum)]
    what: What,
    /// Only this row, by its name in the table; the table stays as it is
    row: Option<String>,
    /// Print one line of JSON at the end of standard output
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// `docs/matrix-rust.md`
    Rust,
    /// `docs/matrix-python.md`
    Python,
    /// `docs/matrix-node.md`
    Node,
    /// `docs/matrix-tracing.md`: every tracer with every language, behind real Envoys
    Tracing,
}

impl What {
    /// The program that runs it, and the file that its table goes to.
    fn program(self, root: &Path) -> Result<(Command, &'static str)> {
        match self {
            Self::Rust => {
                let mut command = Command::new(setup::cargo());
                command.args(["run", "--quiet", "--package", "onward-matrix", "--"]);
                Ok((command, "docs/matrix-rust.md"))
            }
            Self::Python => {
                let setup = Setup::new(Progress::new())?;
                setup.python_group(&root.join("bindings/python"), "test")?;
                setup.python_binding()?;
                let mut command = Command::new(setup.venv()?);
                command.arg("matrix/python");
                Ok((command, "docs/matrix-python.md"))
            }
            Self::Node => {
                let setup = Setup::new(Progress::new())?;
                setup.node_binding()?;
                setup.node_packages(&root.join("matrix/node"))?;
                let mut command = Command::new("node");
                command.arg("matrix/node/main.mjs");
                Ok((command, "docs/matrix-node.md"))
            }
            Self::Tracing => {
                let setup = Setup::new(Progress::new())?;
                let mut command = Command::new(setup.rust_program("onward-matrix-tracing")?);
                command.envs(setup.tracing()?);
                Ok((command, "docs/matrix-tracing.md"))
            }
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let root = setup::root()?;
    let (mut command, table) = args.what.program(&root)?;
    command.current_dir(&root);
    if args.json {
        command.arg("--json");
    }
    match &args.row {
        Some(row) => command.arg(row),
        None => command.args(["--write", table]),
    };
    let status = command.status().context("cannot start the matrix")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

//! `cargo xtask matrix`: every framework with every client, against real servers, and the table in the documentation.

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
    /// Whose frameworks and clients
    #[arg(value_enum)]
    language: Language,
    /// Only this framework, by its name in the table; the table stays as it is
    framework: Option<String>,
    /// Print one line of JSON at the end of standard output
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Language {
    /// `docs/matrix-rust.md`
    Rust,
    /// `docs/matrix-python.md`
    Python,
    /// `docs/matrix-node.md`
    Node,
}

impl Language {
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
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let root = setup::root()?;
    let (mut command, table) = args.language.program(&root)?;
    command.current_dir(&root);
    if args.json {
        command.arg("--json");
    }
    match &args.framework {
        Some(framework) => command.arg(framework),
        None => command.args(["--write", table]),
    };
    let status = command.status().context("cannot start the matrix")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

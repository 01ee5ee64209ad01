//! `cargo xtask matrix`: every framework with every client, against real servers, and the table in the documentation.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::setup;

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
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let Language::Rust = args.language;
    let root = setup::root()?;
    let mut command = Command::new(setup::cargo());
    command.args(["run", "--quiet", "--package", "onward-matrix", "--"]).current_dir(&root);
    if args.json {
        command.arg("--json");
    }
    match &args.framework {
        Some(framework) => command.arg(framework),
        None => command.args(["--write", "docs/matrix-rust.md"]),
    };
    let status = command.status().context("cannot start cargo")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

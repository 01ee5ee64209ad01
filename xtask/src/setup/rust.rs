//! The Rust services.

use std::{env, path::PathBuf, process::Command};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Setup, run::run};

impl Setup {
    /// Builds the program of the package with this name and returns where it is. Cargo knows best what has changed.
    pub(crate) fn rust_program(&self, package: &str) -> Result<PathBuf> {
        let step = self.progress.step(format!("building {package}"));
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(["build", "--package", package, "--bins"]);
        command.args(["--message-format", "json-render-diagnostics"]).current_dir(&self.root);
        let output = run(&step, command)?;
        let messages = output.stdout.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let program = messages
            .filter(|message| message["target"]["name"] == package)
            .find_map(|message| message["executable"].as_str().map(PathBuf::from))
            .with_context(|| format!("the package {package} has no program of that name"))?;
        step.done();
        Ok(program)
    }

    /// What both bindings are built from besides their own sources.
    pub(super) fn core_sources(&self) -> Vec<PathBuf> {
        ["Cargo.toml", "Cargo.lock", "core/Cargo.toml", "core/src"].map(|path| self.root.join(path)).to_vec()
    }
}

//! The Rust services.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Setup, run::run};

/// The cargo that runs this program.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The folder that cargo builds into.
pub(crate) fn target(root: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

impl Setup {
    /// Builds the program of the package with this name and returns where it is. Cargo knows best what has changed.
    pub(crate) fn rust_program(&self, package: &str) -> Result<PathBuf> {
        self.rust_executable(package, &["--package", package, "--bins"])
    }

    /// Builds an example of a package and returns where it is.
    pub(crate) fn rust_example(&self, package: &str, name: &str) -> Result<PathBuf> {
        self.rust_executable(name, &["--package", package, "--example", name])
    }

    /// Builds a program of a package with a profile that optimises and returns where it is.
    pub(crate) fn rust_release(&self, package: &str, name: &str, profile: &str) -> Result<PathBuf> {
        self.rust_executable(name, &["--profile", profile, "--package", package, "--bins"])
    }

    fn rust_executable(&self, name: &str, what: &[&str]) -> Result<PathBuf> {
        let step = self.progress.step(format!("building {name}"));
        let mut command = Command::new(cargo());
        command.arg("build").args(what);
        command.args(["--message-format", "json-render-diagnostics"]).current_dir(&self.root);
        let output = run(&step, command)?;
        let messages = output.stdout.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let program = messages
            .filter(|message| message["target"]["name"] == name)
            .find_map(|message| message["executable"].as_str().map(PathBuf::from))
            .with_context(|| format!("cargo has built no program called {name}"))?;
        step.done();
        Ok(program)
    }

    /// What both bindings are built from besides their own sources.
    pub(super) fn core_sources(&self) -> Vec<PathBuf> {
        ["Cargo.toml", "Cargo.lock", "core/Cargo.toml", "core/src"].map(|path| self.root.join(path)).to_vec()
    }
}

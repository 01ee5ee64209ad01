//! The Node package and the packages of the examples.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result};

use super::{
    Setup,
    run::run,
    stamp::Stamp,
    tools::{self, Tool},
};

impl Setup {
    /// Node itself, looked for once.
    pub(crate) fn node(&self) -> Result<&Tool> {
        if self.node.get().is_none() {
            let _ = self.node.set(tools::node()?);
        }
        self.node.get().context("node was found")
    }

    /// Builds the package `onward` in `bindings/node`, where the examples take it from.
    pub(crate) fn node_binding(&self) -> Result<()> {
        let dir = self.root.join("bindings/node");
        self.node_packages(&dir)?;
        let mut inputs = self.core_sources();
        inputs.extend(["src", "Cargo.toml", "build.rs", "package.json"].map(|path| dir.join(path)));
        let stamp = Stamp::new(self.root.join(".onward/stamps/node"), &[&self.node()?.version], &inputs)?;
        if stamp.is_fresh() && has_addon(&dir.join("native")) {
            return Ok(());
        }
        let step = self.progress.step("building onward for Node");
        let mut command = Command::new("npm");
        command.args(["run", "build"]).current_dir(&dir);
        run(&step, command)?;
        stamp.set()?;
        step.done();
        Ok(())
    }

    /// Installs what the package in `dir` depends on.
    pub(crate) fn node_packages(&self, dir: &Path) -> Result<()> {
        let shown = dir.strip_prefix(&self.root).unwrap_or(dir).display().to_string();
        let lock = dir.join("package-lock.json");
        let inputs = [dir.join("package.json"), lock.clone()];
        let stamp = Stamp::new(dir.join("node_modules/.onward-stamp"), &[&self.node()?.version], &inputs)?;
        if stamp.is_fresh() {
            return Ok(());
        }
        let step = self.progress.step(format!("installing the packages of {shown}"));
        let mut command = Command::new("npm");
        command
            .arg(if lock.exists() { "ci" } else { "install" })
            .args(["--no-audit", "--no-fund", "--loglevel", "error"])
            .current_dir(dir);
        run(&step, command)?;
        stamp.set()?;
        step.done();
        Ok(())
    }
}

fn has_addon(dir: &Path) -> bool {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|path| path.extension().is_some_and(|ending| ending == "node"))
}

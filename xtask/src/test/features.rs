//! The features of the core: each builds alone, is documented, and needs no newer Rust than is said.

use std::{collections::BTreeMap, fs, process::Command};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::session::Session;

/// What a user reads about them.
const TABLES: [&str; 2] = ["core/src/lib.rs", "docs/rust.md"];
/// Not for users.
const INTERNAL: [&str; 2] = ["default", "redirects"];
/// Features that need a newer Rust than the crate, as it says.
const NEWER: [(&str, &str); 1] = [("salvo", "1.95")];

pub(super) fn run(session: &mut Session) -> Result<()> {
    let metadata = metadata(session)?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let core =
        packages.iter().find(|package| package["name"] == "onward").context("there is no package onward")?;
    let features = core["features"].as_object().context("the package onward has no features")?;
    let features: Vec<_> = features.keys().map(String::as_str).collect();

    for feature in features.iter().filter(|name| **name != "default") {
        let mut command = session.cargo();
        // Without the tests, whose own dependencies would lend the feature what it lacks.
        command.args(["check", "--package", "onward", "--lib", "--no-default-features"]);
        command.args(["--features", feature]);
        session.check(&format!("the feature {feature} builds alone"), command)?;
    }

    for file in TABLES {
        let text =
            fs::read_to_string(session.root.join(file)).with_context(|| format!("cannot read {file}"))?;
        let users = features.iter().filter(|name| !INTERNAL.contains(name));
        session.verify(&format!("{file} has a row for every feature"), || rows(&text, users.copied()));
    }

    let stated = core["rust_version"].as_str().context("the package onward states no Rust version")?;
    let versions = Versions::read(packages);
    let root = session.root.clone();
    session.verify("no feature needs a newer Rust than is said", || {
        for feature in &features {
            let mut command = Command::new(crate::setup::cargo());
            command.args(["tree", "--package", "onward", "--no-default-features", "--features", feature]);
            command.args(["--edges", "normal,build", "--prefix", "none", "--format", "{p}"]);
            let output = command.current_dir(&root).output().context("cannot start cargo")?;
            ensure!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
            let newer = NEWER.iter().find(|(name, _)| name == feature);
            let limit = newer.map_or(stated, |(_, version)| version);
            versions.check(&String::from_utf8_lossy(&output.stdout), limit).context((*feature).to_owned())?;
        }
        Ok(features.len())
    });
    Ok(())
}

fn metadata(session: &Session) -> Result<Value> {
    let mut command = session.cargo();
    command.args(["metadata", "--all-features", "--format-version", "1"]);
    let output = command.output().context("cannot start cargo")?;
    serde_json::from_slice(&output.stdout).context("cargo metadata gives no JSON")
}

/// Fails with the features that no row of a table begins with.
fn rows<'a>(text: &str, features: impl Iterator<Item = &'a str>) -> Result<usize> {
    let first_cells: Vec<_> = text
        .lines()
        .map(|line| line.trim_start_matches("//! "))
        .filter_map(|line| line.strip_prefix("| ")?.split(" |").next())
        .collect();
    let mut found = 0;
    for feature in features {
        let quoted = format!("`{feature}`");
        ensure!(first_cells.iter().any(|cell| cell.contains(&quoted)), "no row for {quoted}");
        found += 1;
    }
    Ok(found)
}

/// The Rust that each package asks for, by what `cargo tree` calls it.
struct Versions(BTreeMap<String, Vec<u64>>);

impl Versions {
    fn read(packages: &[Value]) -> Self {
        let read = |package: &Value| {
            let name = format!("{} v{}", package["name"].as_str()?, package["version"].as_str()?);
            Some((name, numbers(package["rust_version"].as_str()?)))
        };
        Self(packages.iter().filter_map(read).collect())
    }

    /// Fails with the first line of `tree` that asks for a newer Rust than `limit`.
    fn check(&self, tree: &str, limit: &str) -> Result<()> {
        for line in tree.lines() {
            let name = line.split(' ').take(2).collect::<Vec<_>>().join(" ");
            match self.0.get(&name) {
                Some(asked) if *asked > numbers(limit) => bail!("{name} asks for {asked:?}"),
                _ => {}
            }
        }
        Ok(())
    }
}

/// `1.89.0` and `1.89` are the same.
fn numbers(version: &str) -> Vec<u64> {
    let mut numbers: Vec<_> = version.split('.').map_while(|part| part.parse().ok()).collect();
    numbers.resize(3, 0);
    numbers
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_feature_without_a_row_is_named() {
        let text = "//! | feature | what |\n//! |---|---|\n//! | `warp`, `lambda` | the `tower` layer |\n";
        assert_eq!(rows(text, ["warp", "lambda"].into_iter()).unwrap(), 2);
        let error = rows(text, ["warp", "tower"].into_iter()).unwrap_err();
        assert_eq!(error.to_string(), "no row for `tower`");
    }

    #[test]
    fn a_dependency_that_asks_for_a_newer_rust_is_named() {
        let packages = [
            json!({ "name": "old", "version": "1.0.0", "rust_version": "1.89.0" }),
            json!({ "name": "new", "version": "2.0.0", "rust_version": "1.95" }),
            json!({ "name": "silent", "version": "3.0.0", "rust_version": null }),
        ];
        let versions = Versions::read(&packages);
        let tree = "onward v0.1.0 (/a/path)\nold v1.0.0\nsilent v3.0.0\nnew v2.0.0 (*)\n";
        assert!(versions.check(tree, "1.95").is_ok());
        let error = versions.check(tree, "1.89").unwrap_err();
        assert_eq!(error.to_string(), "new v2.0.0 asks for [1, 95, 0]");
    }
}

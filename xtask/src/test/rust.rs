//! The core with every set of features, the macro, the services in Rust, the matrix, and the documentation.

use anyhow::{Context, Result};
use serde_json::Value;

use super::{session::Session, tally::Runner};

const PACKAGES: [&str; 6] =
    ["onward", "onward-macros", "bookinfo-reviews", "dockebi", "grpc-example", "onward-matrix"];

pub(super) fn run(session: &mut Session) -> Result<()> {
    let mut command = session.cargo();
    command.args(["test", "--no-fail-fast", "--all-features"]);
    command.args(PACKAGES.iter().flat_map(|package| ["--package", package]));
    session.tests("core, macro, the Rust examples and the matrix, all features", Runner::Cargo, command)?;

    let mut command = session.cargo();
    command.args(["test", "--no-fail-fast", "--package", "onward"]);
    session.tests("core, default features", Runner::Cargo, command)?;
    for features in ["", "axum,macros"] {
        let mut command = session.cargo();
        // The examples in the documentation may use what the default features bring.
        command.args(["test", "--no-fail-fast", "--package", "onward", "--tests", "--no-default-features"]);
        command.args(["--features", features]);
        let what = if features.is_empty() { "without features" } else { "only the features axum and macros" };
        session.tests(&format!("core, {what}"), Runner::Cargo, command)?;
    }
    for feature in features(session)? {
        let mut command = session.cargo();
        // Without the tests, whose own dependencies would lend the feature what it lacks.
        command.args([
            "check",
            "--package",
            "onward",
            "--lib",
            "--no-default-features",
            "--features",
            &feature,
        ]);
        session.check(&format!("the feature {feature} builds alone"), command)?;
    }

    let mut command = session.cargo();
    command
        .args(["doc", "--workspace", "--no-deps", "--all-features"])
        .env("RUSTDOCFLAGS", "--deny warnings");
    session.check("documentation", command)?;

    let mut command = session.cargo();
    command.args(["run", "--quiet", "--package", "xtask", "--", "api", "--check"]);
    session.check("the crates offer what their api.txt says", command)?;
    Ok(())
}

/// The features of the core, each to be built alone.
fn features(session: &Session) -> Result<Vec<String>> {
    let mut command = session.cargo();
    command.args(["metadata", "--no-deps", "--format-version", "1"]);
    let output = command.output().context("cannot start cargo")?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata gives no JSON")?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let core =
        packages.iter().find(|package| package["name"] == "onward").context("there is no package onward")?;
    let features = core["features"].as_object().context("the package onward has no features")?;
    Ok(features.keys().filter(|name| *name != "default").cloned().collect())
}

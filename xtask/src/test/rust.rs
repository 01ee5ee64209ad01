//! The core with every set of features, the macro, the services in Rust, the matrix, and the documentation.

use anyhow::Result;

use super::{features, session::Session, tally::Runner};

const PACKAGES: [&str; 7] = [
    "onward",
    "onward-macros",
    "bookinfo-reviews",
    "dockebi",
    "grpc-example",
    "onward-matrix",
    "onward-matrix-tracing",
];

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
    features::run(session)?;

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

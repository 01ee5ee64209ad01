//! The Python package on every Python of the machine, its matrix, and productpage.

use std::path::Path;

use anyhow::Result;

use super::{
    session::{Session, clean_venv},
    tally::Runner,
};
use crate::setup;

/// What the vectors are run with: the carriers of frameworks, and the plugins that the configuration names.
const FOR_VECTORS: [&str; 5] = ["pytest", "pytest-asyncio", "multidict", "starlette", "werkzeug"];

pub(super) fn run(session: &mut Session) -> Result<()> {
    let setup = session.setup()?;
    let python = setup.venv()?;
    let version = setup.python()?.version.clone();
    setup.python_requirements(&session.root.join("examples/bookinfo/productpage/requirements-test.txt"))?;
    setup.python_group(&session.root.join("bindings/python"), "test")?;
    let wheel = setup.python_binding()?;
    drop(setup);

    for folder in ["bindings/python", "matrix/python", "examples/bookinfo/productpage"] {
        let mut command = session.command(&python, folder);
        command.args(["-m", "pytest", "-q"]);
        session.tests(&format!("{folder}, Python {version}"), Runner::Pytest, command)?;
    }
    let mut command = session.cargo();
    command.args(["test", "--package", "onward-python"]);
    session.tests("bindings/python, its Rust", Runner::Cargo, command)?;
    for other in setup::pythons() {
        if other.version != version {
            vectors(session, &other, &wheel)?;
        }
    }
    Ok(())
}

/// The wheel that was built with one Python runs on another.
fn vectors(session: &mut Session, python: &setup::Tool, wheel: &Path) -> Result<()> {
    let what = format!("the same wheel, Python {}", python.version);
    let Some(venv) = clean_venv(session, &format!("{what}, an environment"), &python.path)? else {
        return Ok(());
    };
    let mut command = session.command(&venv, "");
    command.args(["-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]);
    command.arg(wheel).args(FOR_VECTORS);
    if !session.check(&format!("{what}, installed"), command)? {
        return Ok(());
    }
    let mut command = session.command(&venv, "bindings/python");
    command.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_conformance.py"]);
    session.tests(&format!("{what}, vectors"), Runner::Pytest, command)?;
    Ok(())
}

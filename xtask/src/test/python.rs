//! The Python package, its matrix, and productpage.

use std::{env, ffi::OsString, iter, path::Path};

use anyhow::{Context, Result};

use super::{session::Session, tally::Runner};

pub(super) fn run(session: &mut Session) -> Result<()> {
    let setup = session.setup()?;
    let python = setup.venv()?;
    let version = setup.python()?.version.clone();
    setup.python_requirements(&session.root.join("examples/bookinfo/productpage/requirements-test.txt"))?;
    setup.python_group(&session.root.join("bindings/python"), "test")?;
    setup.python_binding()?;
    setup.node_packages(&session.root.join("xtask"))?;
    drop(setup);

    for folder in ["bindings/python", "matrix/python", "examples/bookinfo/productpage"] {
        let mut command = session.command(&python, folder);
        command.args(["-m", "pytest", "-q"]);
        session.tests(&format!("{folder}, Python {version}"), Runner::Pytest, command)?;
    }
    let mut command = session.cargo();
    command.args(["test", "--package", "onward-python"]);
    session.tests("bindings/python, its Rust", Runner::Cargo, command)?;

    // Asked for a package's types, pyright looks where the first Python of PATH does.
    let mut command = session.command("node", "");
    command.arg("xtask/node_modules/pyright/index.js").args(["--verifytypes", "onward", "--ignoreexternal"]);
    command.env("PATH", path_from(python.parent().context("the environment has no bin")?)?);
    session.check("every type of the installed package is known", command)?;
    Ok(())
}

/// `PATH` with a folder in front.
pub(super) fn path_from(first: &Path) -> Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    Ok(env::join_paths(iter::once(first.to_owned()).chain(env::split_paths(&path)))?)
}

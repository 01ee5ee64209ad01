//! The Python package, its matrix, and productpage.

use anyhow::Result;

use super::{session::Session, tally::Runner};

pub(super) fn run(session: &mut Session) -> Result<()> {
    let setup = session.setup()?;
    let python = setup.venv()?;
    let version = setup.python()?.version.clone();
    setup.python_requirements(&session.root.join("examples/bookinfo/productpage/requirements-test.txt"))?;
    setup.python_group(&session.root.join("bindings/python"), "test")?;
    setup.python_binding()?;
    drop(setup);

    for folder in ["bindings/python", "matrix/python", "examples/bookinfo/productpage"] {
        let mut command = session.command(&python, folder);
        command.args(["-m", "pytest", "-q"]);
        session.tests(&format!("{folder}, Python {version}"), Runner::Pytest, command)?;
    }
    let mut command = session.cargo();
    command.args(["test", "--package", "onward-python"]);
    session.tests("bindings/python, its Rust", Runner::Cargo, command)?;
    Ok(())
}

//! The contract as data: that the data is sound, and that every language passes it.

use anyhow::Result;

use super::{
    session::Session,
    tally::{Runner, Tally},
};

/// Runs the runner of a language only where its own step, which has it too, does not run.
pub(super) fn run(session: &mut Session, rust: bool, python: bool, node: bool) -> Result<()> {
    let setup = session.setup()?;
    let venv = setup.venv()?;
    setup.python_requirements(&session.root.join("xtask/requirements.txt"))?;
    if python {
        setup.python_group(&session.root.join("bindings/python"), "test")?;
        setup.python_binding()?;
    }
    if node {
        setup.node_binding()?;
    }
    drop(setup);

    let mut command = session.command(&venv, "");
    command.arg("xtask/src/test/programs/conformance.py").arg("conformance");
    session.judge("the vectors follow the schema and the index", command, |ended| match ended.problem() {
        Some(problem) => (Tally::failure(), Some(problem)),
        None => (Tally::passed(1), Some(format!("{} cases", ended.last_line()))),
    })?;
    if rust {
        let mut command = session.cargo();
        command.args(["test", "--package", "onward", "--all-features", "--test", "conformance"]);
        session.tests("Rust", Runner::Cargo, command)?;
    }
    if python {
        let mut command = session.command(&venv, "bindings/python");
        command.args(["-m", "pytest", "-q", "tests/test_conformance.py"]);
        session.tests("Python", Runner::Pytest, command)?;
    }
    if node {
        let mut command = session.command("node", "bindings/node");
        command.args(["--test", "test/conformance.test.mjs"]);
        session.tests("Node", Runner::Node, command)?;
    }
    Ok(())
}

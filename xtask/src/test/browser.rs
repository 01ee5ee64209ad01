//! The trace viewer in a real Chromium.

use anyhow::Result;

use super::{
    session::Session,
    tally::{Runner, Tally},
};

const FOLDER: &str = "examples/mesh/tests/browser";
/// What the tests end with where there is no Chromium.
const MISSING: i32 = 77;

pub(super) fn run(session: &mut Session) -> Result<()> {
    let setup = session.setup()?;
    setup.node_packages(&session.root.join(FOLDER))?;
    let collector = setup.rust_example("onward-mesh", "collector")?;
    let node = setup.node()?.path.clone();
    drop(setup);
    let mut command = session.command(node, FOLDER);
    command.arg("run.js").env("ONWARD_COLLECTOR", collector);
    session.judge("the trace viewer", command, |ended| {
        if ended.code() == Some(MISSING) {
            return (Tally::skip(), Some(format!("skipped: {}", ended.last_line())));
        }
        Tally::verdict(Runner::Node, &ended.text, ended.problem())
    })?;
    Ok(())
}

//! The Node package, its matrix, and the services in Node.

use anyhow::Result;

use super::{session::Session, tally::Runner};

pub(super) fn run(session: &mut Session) -> Result<()> {
    let setup = session.setup()?;
    setup.node_binding()?;
    let users = ["matrix/node", "examples/bookinfo/details", "examples/bookinfo/ratings"];
    for user in users {
        setup.node_packages(&session.root.join(user))?;
    }
    drop(setup);
    for folder in ["bindings/node"].into_iter().chain(users) {
        let mut command = session.command("npm", folder);
        command.args(["test"]);
        session.tests(folder, Runner::Node, command)?;
    }
    Ok(())
}

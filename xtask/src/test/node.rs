//! The Node package, and the services in Node.

use anyhow::Result;

use super::{session::Session, tally::Runner};

pub(super) fn run(session: &mut Session) -> Result<()> {
    let setup = session.setup()?;
    setup.node_binding()?;
    let services = ["examples/bookinfo/details", "examples/bookinfo/ratings"];
    for service in services {
        setup.node_packages(&session.root.join(service))?;
    }
    drop(setup);
    for folder in ["bindings/node"].into_iter().chain(services) {
        let mut command = session.command("npm", folder);
        command.args(["test"]);
        session.tests(folder, Runner::Node, command)?;
    }
    Ok(())
}

//! Real tracing backends: Bookinfo's traces, as their own APIs tell them.

use anyhow::Result;
use onward_mesh::{apps::bookinfo::Form, backend::Kind};

use super::{
    mesh::{Demo, run_both},
    session::Session,
};
use crate::setup::Setup;

/// `by_name`: whoever asks for this step alone has the time to build what takes minutes.
pub(super) fn run(session: &mut Session, by_name: bool) -> Result<()> {
    for kind in Kind::ALL {
        if let Err(missing) = Setup::can_have(kind) {
            session.skip(kind.name(), &format!("{missing:#}"));
            continue;
        }
        let setup = session.setup()?;
        if !by_name && setup.is_dear(kind)? {
            session.skip(kind.name(), "takes minutes to build; `cargo xtask test backends` does, once");
            continue;
        }
        setup.bookinfo(Form::Explicit)?;
        setup.backend(kind)?;
        drop(setup);
        run_both(session, &Demo::with_backend(kind))?;
    }
    Ok(())
}

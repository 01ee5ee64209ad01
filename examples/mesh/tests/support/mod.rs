//! What the tests with real Envoys share.

use onward_mesh::{envoy, runner::Options};

/// Options with the Envoy of this machine; says what to do if there is none.
pub(crate) fn options() -> Options {
    Options::new(envoy::find().unwrap_or_else(|error| panic!("{error}")))
}

//! What the tests with real Envoys share.

use std::time::Duration;

use onward_mesh::{envoy, runner::Options, tracer::FLUSH_INTERVAL_MS};

/// How often a sidecar with Zipkin's tracer reports.
#[allow(dead_code, reason = "not every test waits for spans by itself")]
pub(crate) const FLUSH: Duration = Duration::from_millis(FLUSH_INTERVAL_MS);

/// Options with the Envoy of this machine; says what to do if there is none.
pub(crate) fn options() -> Options {
    Options::new(envoy::find().unwrap_or_else(|error| panic!("{error}")))
}

//! The page that shows the traces.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;

use crate::collector::store::Store;

/// How the viewer judges.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long after its last span a trace counts as still arriving rather than broken.
    pub settle: Duration,
}

impl Default for Options {
    fn default() -> Self {
        // Envoy reports at least every five seconds.
        Self { settle: Duration::from_secs(6) }
    }
}

/// The routes of the viewer.
pub fn router(store: Arc<Store>, _options: &Options) -> Router {
    Router::new().with_state(store)
}

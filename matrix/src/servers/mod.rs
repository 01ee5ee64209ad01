//! The frameworks: one file and one line each.

mod axum;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::call::Call;
use crate::running::Running;

/// What starting a server gives.
pub type Starting = Pin<Box<dyn Future<Output = Result<Running, String>>>>;

/// A framework and how its server is started.
#[derive(Clone, Copy)]
pub struct Server {
    /// As the table shows it.
    pub name: &'static str,
    /// Starts one whose handlers make their calls by the given client.
    pub start: fn(Arc<dyn Call>) -> Starting,
}

/// All of them, in the order of the table.
pub const ALL: &[Server] = &[Server { name: "axum", start: |call| Box::pin(axum::start(call)) }];

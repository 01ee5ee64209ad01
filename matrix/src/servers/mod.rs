//! The frameworks: one file and one line each.
#![allow(clippy::unused_async, reason = "a framework asks for async handlers, whether they wait or not")]

mod actix;
mod axum;
mod hyper;
mod lambda;
mod poem;
mod rocket;
mod salvo;
mod serving;
mod tonic;
mod tower;
mod warp;

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
pub const ALL: &[Server] = &[
    Server { name: "axum", start: |call| Box::pin(axum::start(call)) },
    Server { name: "actix-web", start: |call| Box::pin(actix::start(call)) },
    Server { name: "poem", start: |call| Box::pin(poem::start(call)) },
    Server { name: "Rocket", start: |call| Box::pin(rocket::start(call)) },
    Server { name: "tonic", start: |call| Box::pin(tonic::start(call)) },
    Server { name: "hyper", start: |call| Box::pin(hyper::start(call)) },
    Server { name: "tower", start: |call| Box::pin(tower::start(call)) },
    Server { name: "warp", start: |call| Box::pin(warp::start(call)) },
    Server { name: "salvo", start: |call| Box::pin(salvo::start(call)) },
    Server { name: "lambda_http", start: |call| Box::pin(lambda::start(call)) },
];

/// Other ways to write their handlers. They are tested with one client, and have no row of their own.
pub const VARIANTS: &[Server] = &[
    Server { name: "actix-web, HttpRequest", start: |call| Box::pin(actix::start_by_request(call)) },
    Server { name: "poem, &Request", start: |call| Box::pin(poem::start_by_request(call)) },
    Server { name: "Rocket, sync", start: |call| Box::pin(rocket::start_waiting(call)) },
];

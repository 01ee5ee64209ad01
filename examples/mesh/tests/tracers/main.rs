//! Every tracer of Envoy, in front of a service that forwards with Onward.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic is how a test says that something does not hold"
)]

mod agent;
mod clients;
mod every;
mod sampling;
#[path = "../services/mod.rs"]
mod services;
mod support;
mod untraced;

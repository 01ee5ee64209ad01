//! Runs an Istio-like mesh on one machine: real Envoy sidecars, a span collector, a trace viewer.
//!
//! An [`App`](app::App) says which services there are, how each is started and which others it calls.
//! [`Mesh::start`](runner::Mesh::start) turns that into processes on free loopback ports: a gateway, one Envoy
//! sidecar per service, the services themselves and the collector. [`load::drive`] sends requests through the
//! gateway, [`settle::wait_for_spans`] waits until the sidecars have reported them, and
//! [`analysis::analyse`] says which requests came out as one whole trace. [`measure::measure`] does all of that.

pub mod analysis;
pub mod app;
pub mod apps;
pub mod backend;
pub mod collector;
pub mod envoy;
pub mod error;
pub mod layout;
pub mod load;
pub mod measure;
pub mod ports;
pub mod process;
pub mod progress;
pub mod ready;
pub mod runner;
pub mod settle;
pub mod terminal;
pub mod tracer;
pub mod viewer;

pub use error::MeshError;

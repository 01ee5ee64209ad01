//! The collector over real HTTP on loopback, and what it makes of the spans.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that something does not hold")]

mod formats;
mod hostile;
mod http;
mod store;
mod support;
mod traces;
mod verdicts;
mod viewer;

//! Services of each framework on loopback, asked by a real client, and calling a real server themselves.
//!
//! Each framework has three routes: `/attribute`, under `#[propagate]`; `/covered`, behind the one line that covers a
//! whole app; and `/bare`, the negative control.
#![cfg(feature = "macros")]
#![allow(clippy::expect_used, reason = "helpers of tests, outside of any #[test] function")]

#[cfg(feature = "hyper")]
mod hyper;
#[cfg(feature = "lambda")]
mod lambda;
#[cfg(feature = "salvo")]
mod salvo;
#[cfg(any(feature = "tower", feature = "salvo"))]
mod support;
#[cfg(all(feature = "tonic", feature = "stream"))]
mod tonic;
#[cfg(feature = "tower")]
mod tower;
#[cfg(feature = "warp")]
mod warp;

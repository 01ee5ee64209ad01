//! Frameworks and clients, one file each, each behind the feature of its name.

#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "reqwest")]
pub mod reqwest;

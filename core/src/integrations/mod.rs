//! Frameworks and clients, one file each, each behind the feature of its name.

#[cfg(feature = "actix")]
pub mod actix;
#[cfg(any(feature = "actix", feature = "awc"))]
mod actix_headers;
#[cfg(feature = "awc")]
pub mod awc;
#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "hyper")]
pub mod hyper;
#[cfg(feature = "hyper-util")]
pub mod hyper_util;
#[cfg(feature = "lambda")]
pub mod lambda;
#[cfg(feature = "lapin")]
mod lapin;
#[cfg(feature = "opentelemetry")]
pub mod opentelemetry;
#[cfg(feature = "poem")]
pub mod poem;
#[cfg(feature = "redirects")]
mod redirects;
#[cfg(feature = "reqwest")]
pub mod reqwest;
#[cfg(feature = "rocket")]
pub mod rocket;
#[cfg(feature = "salvo")]
pub mod salvo;
#[cfg(feature = "tonic")]
pub mod tonic;
#[cfg(feature = "tower")]
pub mod tower;
#[cfg(feature = "tower")]
mod tower_client;
#[cfg(feature = "ureq")]
pub mod ureq;
#[cfg(feature = "warp")]
pub mod warp;

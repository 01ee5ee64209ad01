//! Receives the spans that the sidecars report, keeps them in bounded memory and joins them to traces.
//!
//! ```text
//! zipkin (wire) ──> span ──> store ──> trace ──> verdict   is it whole? if not, who lost the headers?
//!                                        └─────> links     who calls whom
//! ```
//!
//! [`server`] puts this behind HTTP: the Zipkin v2 API and the viewer's page. Only [`zipkin`] knows that wire
//! format; a second receiver fills the same [`store::Store`] with the same [`span::Span`]s.

pub mod links;
pub mod query;
pub mod server;
pub mod span;
pub mod store;
pub mod trace;
pub mod verdict;
pub mod zipkin;

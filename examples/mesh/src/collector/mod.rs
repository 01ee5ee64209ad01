//! Receives the spans that the sidecars report, keeps them in bounded memory and joins them to traces.
//!
//! ```text
//! zipkin  ──┐
//! otlp    ──┤
//! datadog ──┼──> span ──> store ──> trace ──> verdict   is it whole? if not, who lost the headers?
//! skywalking┤                         └─────> links     who calls whom
//! xray    ──┘
//! ```
//!
//! [`server`] puts this behind HTTP: the Zipkin v2 API, a route for each of the other formats and the viewer's page;
//! X-Ray's datagrams come to [`xray::Daemon`]. Each module on the left alone knows its wire format; all of them fill the
//! same [`store::Store`] with the same [`span::Span`]s.

pub mod datadog;
pub mod links;
pub mod otlp;
pub mod query;
mod receive;
pub mod server;
pub mod skywalking;
pub mod span;
pub mod store;
pub mod trace;
pub mod verdict;
pub mod xray;
pub mod zipkin;

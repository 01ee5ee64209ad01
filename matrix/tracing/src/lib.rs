//! Every tracer with every language, verbatim and beside OpenTelemetry, behind real Envoys.

pub mod cell;
pub mod chain;
pub mod front;
pub mod system;
pub mod table;
mod traced;
mod untraced;

//! The applications that the demo runs.

pub mod bookinfo;
pub mod dockebi;
pub mod grpc;

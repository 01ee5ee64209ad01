//! Zipkin's server: how it is started, and its API (<https://zipkin.io/zipkin-api/>).

use std::{net::SocketAddr, path::Path, process::Command};

use super::{LIMIT, Site, unreadable};
use crate::collector::{span::Span, zipkin::parse_traces};

/// Enough for its half a million spans in memory at the most; what the demo makes is a few thousand.
const HEAP: &str = "-Xmx256m";

/// A start in memory, on one port of loopback.
pub(super) fn command(java: &Path, jar: &Path, address: SocketAddr) -> Command {
    let mut command = Command::new(java);
    command.arg(HEAP).arg("-jar").arg(jar);
    // `QUERY_PORT` would listen on every interface.
    command.arg(format!("--armeria.ports[0].ip={}", address.ip()));
    command.arg(format!("--armeria.ports[0].port={}", address.port()));
    command.arg("--armeria.ports[0].protocols[0]=http");
    command
}

pub(super) async fn fetch(site: &Site) -> Result<Vec<Span>, String> {
    let path = format!("/zipkin/api/v2/traces?limit={LIMIT}");
    let body = site.get(&path).await?.ok_or_else(|| format!("it has no {path}"))?;
    parse_traces(&body).map_err(|error| unreadable(&error))
}

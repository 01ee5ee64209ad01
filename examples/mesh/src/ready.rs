//! Waits until everything that was started answers.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::{error::MeshError, process::Process};

const POLL: Duration = Duration::from_millis(40);
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// What is asked until it answers with a 2xx status.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Name of the process, as in its [`Process`].
    pub name: String,
    /// The address of its HTTP server.
    pub address: SocketAddr,
    /// The path to ask for.
    pub path: String,
}

impl Probe {
    fn url(&self) -> String {
        format!("http://{}{}", self.address, self.path)
    }
}

/// A client for loopback: no proxies of the user's.
pub(crate) fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder().no_proxy().build()
}

/// Asks every probe until all have answered; `answered` is told the name of each that has.
///
/// # Errors
///
/// [`MeshError::Died`] as soon as one of the processes ends, [`MeshError::NotReady`] when `within` has passed.
pub async fn wait(
    probes: Vec<Probe>,
    processes: &mut [Process],
    within: Duration,
    mut answered: impl FnMut(&str),
) -> Result<(), MeshError> {
    let started = Instant::now();
    let Some(first) = probes.first() else { return Ok(()) };
    let client = client().map_err(|source| MeshError::Client { gateway: first.address, source })?;
    let mut pending = probes;
    loop {
        let mut last = String::new();
        let mut still = Vec::new();
        for probe in pending {
            match client.get(probe.url()).timeout(ANSWER_WITHIN).send().await {
                Ok(response) if response.status().is_success() => answered(&probe.name),
                Ok(response) => {
                    last = format!("status {}", response.status());
                    still.push(probe);
                }
                Err(error) => {
                    last = reason(&error);
                    still.push(probe);
                }
            }
        }
        for process in processes.iter_mut() {
            process.check()?;
        }
        let Some(probe) = still.last() else { return Ok(()) };
        if started.elapsed() > within {
            let process = processes.iter().find(|process| process.name() == probe.name);
            return Err(MeshError::NotReady {
                name: probe.name.clone(),
                url: probe.url(),
                last,
                after: within,
                log: process.map_or_else(|| "  (it has no log of its own)".into(), Process::log_tail),
            });
        }
        pending = still;
        tokio::time::sleep(POLL).await;
    }
}

/// The innermost cause: `Connection refused` and not `error sending request`.
pub(crate) fn reason(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

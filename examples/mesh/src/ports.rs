//! Free loopback ports for processes that want to be told their port.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    io,
    net::{Ipv4Addr, TcpListener},
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::error::MeshError;

/// Below the range that the system takes for outgoing connections (32768 on Linux, 49152 on macOS), so that a client
/// socket cannot take a port between its choice and its use.
const RANGE: std::ops::Range<u16> = 20_000..32_000;
const TRIES: usize = 2_000;

/// Ports are taken in turn from a random start: two meshes of one process never choose the same one, and those of two
/// processes hardly ever, also in the moment between [`Ports::release`] and the start of whoever uses the port.
static NEXT: LazyLock<AtomicUsize> = LazyLock::new(|| AtomicUsize::new(random()));

/// Ports that were free when they were chosen and are held until [`Ports::release`].
///
/// Holding all of them at once keeps two parts of one mesh, or of two meshes, from choosing the same one.
#[derive(Debug, Default)]
pub struct Ports {
    held: Vec<TcpListener>,
}

impl Ports {
    /// Chooses a free port and holds it.
    ///
    /// # Errors
    ///
    /// [`MeshError::NoFreePort`] if none was found.
    pub fn choose(&mut self) -> Result<u16, MeshError> {
        for _ in 0..TRIES {
            let port = in_range(NEXT.fetch_add(1, Ordering::Relaxed));
            if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
                self.held.push(listener);
                return Ok(port);
            }
        }
        Err(MeshError::NoFreePort { tries: TRIES })
    }

    /// Holds the port that the user asked for, or a free one if they asked for none.
    ///
    /// # Errors
    ///
    /// [`MeshError::PortTaken`] if somebody else listens there.
    pub fn take(&mut self, wanted: Option<u16>) -> Result<u16, MeshError> {
        let Some(port) = wanted else { return self.choose() };
        self.held.push(bind(port)?);
        Ok(port)
    }

    /// Hands out the listener of a held port, for a part of this process.
    pub fn listener(&mut self, port: u16) -> Option<TcpListener> {
        let has_port =
            |listener: &TcpListener| listener.local_addr().is_ok_and(|address| address.port() == port);
        let index = self.held.iter().position(has_port)?;
        Some(self.held.swap_remove(index))
    }

    /// Lets go of every port, so that the processes can bind them.
    pub fn release(self) {}
}

/// Binds a listener on 127.0.0.1; port 0 lets the system choose.
///
/// # Errors
///
/// [`MeshError::PortTaken`] if somebody else listens there.
pub fn bind(port: u16) -> Result<TcpListener, MeshError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map_err(|source: io::Error| MeshError::PortTaken { port, source })
}

fn in_range(turn: usize) -> u16 {
    let offset = turn % usize::from(RANGE.end - RANGE.start);
    RANGE.start + u16::try_from(offset).unwrap_or(0)
}

fn random() -> usize {
    // Every `RandomState` has fresh keys: enough randomness for a start, and no dependency.
    usize::try_from(RandomState::new().build_hasher().finish() >> 33).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::{
        thread,
        time::{Duration, Instant},
    };

    use super::*;

    #[test]
    fn a_chosen_port_can_be_bound_after_release_and_not_before() {
        let mut ports = Ports::default();
        let port = ports.choose().unwrap();
        assert!(bind(port).is_err());
        ports.release();
        // A process that another test starts at this moment holds a copy until its program is loaded.
        let deadline = Instant::now() + Duration::from_secs(20);
        while bind(port).is_err() {
            assert!(Instant::now() < deadline, "the port is still taken");
            thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn a_taken_port_is_named_in_the_error() {
        let holder = bind(0).unwrap();
        let port = holder.local_addr().unwrap().port();
        let error = Ports::default().take(Some(port)).unwrap_err().to_string();
        let expected = format!("port {port} on 127.0.0.1 is taken; stop what uses it or choose another");
        assert_eq!(error, expected);
    }
}

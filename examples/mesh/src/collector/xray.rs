//! AWS X-Ray's daemon protocol: one segment as JSON in each UDP datagram, below a line that says so
//! (<https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html>).

use std::{
    collections::BTreeMap,
    io,
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use serde::Deserialize;
use serde_json::Value;

use super::{
    span::{DIRECTION_TAG, Kind, Span, span_id, trace_id},
    store::Store,
    zipkin::WireError,
};
use crate::error::MeshError;

/// The largest datagram that UDP has.
const LARGEST: usize = 65_507;
/// How soon it notices that it has to stop.
const PATIENCE: Duration = Duration::from_millis(100);

/// Receives segments until it is dropped.
///
/// It has a thread of its own: what is not read in time is lost, and the runtime's threads have other work.
#[derive(Debug)]
pub struct Daemon {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Daemon {
    /// Listens for datagrams at `address` and puts what arrives into `store`. What is no segment is left out.
    ///
    /// # Errors
    ///
    /// [`MeshError::PortTaken`] if somebody else listens there.
    pub fn start(address: SocketAddr, store: Arc<Store>) -> Result<Self, MeshError> {
        let taken = |source| MeshError::PortTaken { port: address.port(), source };
        let socket = UdpSocket::bind(address).map_err(taken)?;
        socket.set_read_timeout(Some(PATIENCE)).map_err(MeshError::io("cannot listen for datagrams"))?;
        // As large as the system lets it be: a burst must fit in while the thread waits for its turn.
        let _ = rustix::net::sockopt::set_socket_recv_buffer_size(&socket, 8 << 20);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("xray-daemon".into())
            .spawn(move || receive(&socket, &store, &stopped))
            .map_err(MeshError::io("cannot start a thread"))?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn receive(socket: &UdpSocket, store: &Store, stopped: &AtomicBool) {
    let mut buffer = vec![0; LARGEST];
    while !stopped.load(Ordering::Relaxed) {
        match socket.recv(&mut buffer) {
            Ok(length) => store.add(parse(&buffer[..length]).into_iter().collect()),
            Err(error) if is_a_timeout(&error) => {}
            Err(_) => return,
        }
    }
}

fn is_a_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

#[derive(Deserialize)]
struct Segment {
    name: String,
    id: String,
    trace_id: String,
    #[serde(default)]
    parent_id: Option<String>,
    #[serde(default)]
    start_time: f64,
    #[serde(default)]
    end_time: f64,
    #[serde(default)]
    error: bool,
    #[serde(default)]
    fault: bool,
    #[serde(default)]
    http: Http,
    #[serde(default)]
    annotations: BTreeMap<String, Value>,
}

#[derive(Default, Deserialize)]
struct Http {
    #[serde(default)]
    request: BTreeMap<String, Value>,
    #[serde(default)]
    response: BTreeMap<String, Value>,
}

/// Reads a datagram.
///
/// # Errors
///
/// [`WireError`] if the line above the segment is missing, if the rest is no segment, or an id is not hex.
pub fn parse(datagram: &[u8]) -> Result<Span, WireError> {
    let mut parts = datagram.splitn(2, |byte| *byte == b'\n');
    let header: Value = serde_json::from_slice(parts.next().unwrap_or_default()).unwrap_or_default();
    if header["format"] != "json" {
        return Err(WireError::new(r#"the datagram does not start with a line {"format":"json"}"#.into()));
    }
    let segment: Segment = serde_json::from_slice(parts.next().unwrap_or_default())
        .map_err(|error| WireError::new(format!("the datagram has no X-Ray segment: {error}")))?;
    span_of(segment)
}

fn span_of(segment: Segment) -> Result<Span, WireError> {
    let http = [("method", "http.method"), ("url", "http.url"), ("user_agent", "user_agent")];
    let request = http.iter().filter_map(|(key, tag)| Some((*tag, segment.http.request.get(*key)?)));
    let status = segment.http.response.get("status").map(|status| ("http.status_code", status));
    let annotations = segment.annotations.iter().map(|(key, value)| (key.as_str(), value));
    let mut tags: BTreeMap<_, _> =
        annotations.chain(request).chain(status).map(|(key, value)| (key.to_owned(), text(value))).collect();
    if segment.error || segment.fault {
        tags.entry("error".into()).or_insert_with(|| "true".into());
    }
    let (start, end) = (micros(segment.start_time), micros(segment.end_time));
    let parent = segment.parent_id.filter(|parent| !parent.is_empty());
    Ok(Span {
        trace_id: root(&segment.trace_id)?,
        id: span_id("id", &segment.id)?,
        parent_id: parent.map(|parent| span_id("parent_id", &parent)).transpose()?,
        // It has no kinds.
        kind: tags.get(DIRECTION_TAG).and_then(|word| Kind::of_direction(word)),
        name: segment.name.clone(),
        timestamp_us: start,
        duration_us: end.saturating_sub(start),
        service: segment.name.to_lowercase(),
        tags,
        ..Span::default()
    })
}

/// `1-5759e988-bd862e3fe1be46a994272793` is a time and 96 bits: together 128.
fn root(text: &str) -> Result<String, WireError> {
    let digits = text.strip_prefix("1-").map(|rest| rest.replace('-', ""));
    trace_id(digits.as_deref().unwrap_or(text))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturating is what is wanted, and a fraction of a microsecond is of no use"
)]
fn micros(seconds: f64) -> u64 {
    (seconds * 1e6) as u64
}

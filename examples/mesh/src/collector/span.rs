//! A span as the collector keeps it, whatever format it arrived in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::zipkin::{WireError, WireSpan};

/// One span: a piece of work that one service reported about one request.
///
/// Ids are lower-case hex, padded with zeros on the left: `trace_id` to 32 characters, `id` and `parent_id` to
/// 16. A 64-bit and a 128-bit spelling of one trace id are therefore equal. Serde reads and writes Zipkin v2 JSON.
///
/// ```
/// use onward_mesh::collector::span::{Direction, Span};
///
/// let span: Span = serde_json::from_str(
///     r#"{"traceId": "463AC35C9F6413AD", "id": "a2fb4a1d1a96d312", "kind": "SERVER",
///         "localEndpoint": {"serviceName": "reviews"}, "timestamp": 1000, "duration": 250}"#,
/// )?;
/// assert_eq!(span.trace_id, "0000000000000000463ac35c9f6413ad");
/// assert_eq!(span.direction(), Some(Direction::Ingress));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WireSpan", into = "WireSpan")]
pub struct Span {
    /// The trace it belongs to: 32 hex characters.
    pub trace_id: String,
    /// Its own id: 16 hex characters.
    pub id: String,
    /// The span that caused it; none for the root of a trace.
    pub parent_id: Option<String>,
    /// Which side of a call it describes; none for work inside a service.
    pub kind: Option<Kind>,
    /// What was done, in the reporter's words (Envoy: the authority or the route's operation).
    pub name: String,
    /// Start in microseconds since 1970; 0 if the reporter did not say.
    pub timestamp_us: u64,
    /// Length in microseconds.
    pub duration_us: u64,
    /// The service that reported it, in lower case; `unknown` if it did not say.
    pub service: String,
    /// Where the reporting service listens.
    pub host: Address,
    /// The other side of the call.
    pub remote: Option<Endpoint>,
    /// Facts about the request. Text from the network: show it, never interpret it.
    pub tags: BTreeMap<String, String>,
    /// Moments within the span, in the order reported.
    pub annotations: Vec<Annotation>,
    /// Both sides of one call report under the same id (Zipkin's shared spans); this is the server's half.
    pub shared: bool,
}

/// Which side of a call a span describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Kind {
    /// An outbound call.
    Client,
    /// An inbound call.
    Server,
    /// A message sent.
    Producer,
    /// A message received.
    Consumer,
}

/// Where a request crosses a sidecar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Into the service.
    Ingress,
    /// Out of the service.
    Egress,
}

/// The other side of a call, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// Its name in lower case.
    pub service: Option<String>,
    /// Its address.
    pub address: Address,
}

/// A network address, as far as it is known. Kept as text: it is shown, never dialled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Address {
    /// IPv4 in dotted form.
    pub ipv4: Option<String>,
    /// IPv6 in text form.
    pub ipv6: Option<String>,
    /// TCP port.
    pub port: Option<u16>,
}

/// A moment within a span.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Annotation {
    /// Microseconds since 1970.
    pub timestamp: u64,
    /// What happened.
    pub value: String,
}

/// The tag in which Envoy reports the `x-request-id` of a request.
pub const REQUEST_ID_TAG: &str = "guid:x-request-id";

/// The tag in which the mesh's Envoys say on which side of their service they saw the request: `ingress` or `egress`.
pub const DIRECTION_TAG: &str = "direction";

impl Direction {
    fn from_word(word: &str) -> Option<Self> {
        match word {
            "ingress" => Some(Self::Ingress),
            "egress" => Some(Self::Egress),
            _ => None,
        }
    }
}

impl Kind {
    /// The kind of a span with this [`DIRECTION_TAG`], for formats that have no kinds.
    pub(super) fn of_direction(word: &str) -> Option<Self> {
        Some(match Direction::from_word(word)? {
            Direction::Ingress => Self::Server,
            Direction::Egress => Self::Client,
        })
    }
}

impl Span {
    /// Ingress or egress; none for work inside a service. What an Envoy says about itself comes first: one that reports
    /// its own work and its call (`SkyWalking`) has spans of both kinds on either side.
    pub fn direction(&self) -> Option<Direction> {
        let tagged = self.tags.get(DIRECTION_TAG).and_then(|word| Direction::from_word(word));
        tagged.or_else(|| match self.kind? {
            Kind::Server | Kind::Consumer => Some(Direction::Ingress),
            Kind::Client | Kind::Producer => Some(Direction::Egress),
        })
    }

    /// The end in microseconds since 1970.
    pub fn end_us(&self) -> u64 {
        self.timestamp_us.saturating_add(self.duration_us)
    }

    /// Whether the reporter marked it as failed: an `error` tag other than `false`, or an HTTP status of 500 and above.
    pub fn is_error(&self) -> bool {
        let tagged = self.tags.get("error").is_some_and(|value| value != "false");
        let status = self.tags.get("http.status_code").and_then(|code| code.parse::<u16>().ok());
        tagged || status.is_some_and(|code| code >= 500)
    }

    /// The request id that Envoy gave the request.
    pub fn request_id(&self) -> Option<&str> {
        self.tags.get(REQUEST_ID_TAG).map(String::as_str)
    }

    /// Roughly how many bytes of memory it holds; what the store's bound counts.
    pub fn size(&self) -> usize {
        let tags: usize = self.tags.iter().map(|(key, value)| key.len() + value.len() + 48).sum();
        let annotations: usize = self.annotations.iter().map(|a| a.value.len() + 32).sum();
        let remote = self.remote.as_ref().map_or(0, Endpoint::size);
        size_of::<Self>()
            + self.trace_id.len()
            + self.id.len()
            + self.name.len()
            + self.service.len()
            + self.host.size()
            + remote
            + tags
            + annotations
    }
}

impl Endpoint {
    fn size(&self) -> usize {
        self.service.as_ref().map_or(0, String::len) + self.address.size()
    }
}

impl Address {
    fn size(&self) -> usize {
        self.ipv4.as_ref().map_or(0, String::len) + self.ipv6.as_ref().map_or(0, String::len)
    }
}

/// A trace id in the form in which the collector keeps it: 32 lower-case hex characters.
///
/// # Errors
///
/// [`WireError`] if it is empty, longer than 32 characters or not hex.
///
/// ```
/// use onward_mesh::collector::span::trace_id;
/// assert_eq!(trace_id("463AC35C9F6413AD")?, "0000000000000000463ac35c9f6413ad");
/// # Ok::<(), onward_mesh::collector::zipkin::WireError>(())
/// ```
pub fn trace_id(text: &str) -> Result<String, WireError> {
    padded_hex(text, 32).ok_or_else(|| WireError::id("traceId", text, 32))
}

/// A span id in the form in which the collector keeps it: 16 lower-case hex characters.
///
/// # Errors
///
/// [`WireError`] if it is empty, longer than 16 characters or not hex.
pub fn span_id(field: &'static str, text: &str) -> Result<String, WireError> {
    padded_hex(text, 16).ok_or_else(|| WireError::id(field, text, 16))
}

fn padded_hex(text: &str, width: usize) -> Option<String> {
    let valid = (1..=width).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    valid.then(|| format!("{:0>width$}", text.to_ascii_lowercase()))
}

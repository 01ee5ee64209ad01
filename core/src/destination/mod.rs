//! Where an outbound request goes, and whether that is in the mesh (rule R8).

mod grpc;
mod mesh;
mod parse;

use std::fmt;
use std::net::IpAddr;

pub use grpc::grpc_authorities;
pub(crate) use mesh::MeshHosts;
pub use mesh::Placement;

/// The destination of an outbound request, as far as it matters here: its host, and whether its URL is pre-signed.
///
/// Borrows from the text that it was parsed from; parsing and deciding allocate nothing.
///
/// # Examples
///
/// ```
/// use onward::{Destination, Propagator};
///
/// let propagator = Propagator::default();
/// assert!(propagator.in_mesh(&Destination::parse("http://reviews:9080/reviews/0")));
/// assert!(!propagator.in_mesh(&Destination::parse("https://api.example.com/")));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination<'a> {
    pub(crate) host: Host<'a>,
    pub(crate) presigned: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host<'a> {
    /// A host name, in any case, without its trailing dot.
    Name(&'a str),
    Ip(IpAddr),
    /// Not a host that can be relied on to mean the same to everybody. Never in-mesh.
    Unknown,
    /// No host: the headers of a message in a queue or a log.
    Message {
        credentials: bool,
    },
}

impl<'a> Destination<'a> {
    /// Reads an absolute URL (`http://ratings:9080/ratings/0`) or an authority (`ratings:9080`, `[::1]:80`). What is
    /// neither counts as outside the mesh.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        parse::destination(text)
    }

    /// Reads a host alone: a name, an IPv4 address, an IPv6 address with or without brackets.
    #[must_use]
    pub fn from_host(host: &'a str) -> Self {
        Self { host: parse::host(host), presigned: false }
    }

    /// A message in a queue or a log. It is stored, and read by whoever subscribes: `trace` and `context` headers go
    /// into it, `credential` headers do not.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use onward::Destination;
    ///
    /// let inbound = [("x-request-id", "7f6c"), ("end-user", "jason"), ("authorization", "Bearer secret")];
    /// let headers = onward::get_forward_headers(&inbound);
    ///
    /// let mut message: HashMap<String, Vec<u8>> = HashMap::new();
    /// headers.inject_to(&Destination::message(), &mut message);
    /// assert_eq!(message.len(), 2);
    /// assert!(!message.contains_key("authorization"));
    ///
    /// // Whoever reads it handles it as part of the same request:
    /// assert_eq!(onward::get_forward_headers(&message).get("end-user"), Some(&b"jason"[..]));
    /// ```
    #[must_use]
    pub const fn message() -> Self {
        Self { host: Host::Message { credentials: false }, presigned: false }
    }

    /// Like [`message`](Self::message), with `credential` headers: for a queue that only those read who may see them.
    #[must_use]
    pub const fn message_with_credentials() -> Self {
        Self { host: Host::Message { credentials: true }, presigned: false }
    }
}

/// Its host.
impl fmt::Display for Destination<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host {
            Host::Name(name) => f.write_str(name),
            Host::Ip(address) => address.fmt(f),
            Host::Unknown => f.write_str("a host that cannot be read"),
            Host::Message { .. } => f.write_str("a message"),
        }
    }
}

impl<'a> From<&'a http::Uri> for Destination<'a> {
    fn from(uri: &'a http::Uri) -> Self {
        Self {
            host: uri.authority().map_or(Host::Unknown, |authority| parse::authority(authority.as_str())),
            presigned: uri.query().is_some_and(parse::is_presigned),
        }
    }
}

//! Which destinations are in the mesh.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Destination, Host, parse};
use crate::catalogue::Class;
use crate::policy::TraceDestinations;
use crate::{PolicyError, PolicyErrorKind};

/// Whether a destination is in the mesh, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Placement {
    /// The address is loopback, or the name stands for it.
    Loopback,
    /// The name has one label, or its last label is no public top-level domain.
    PrivateName,
    /// A configured host pattern or network covers it.
    Configured,
    /// The address is link-local: instance metadata lives there.
    LinkLocal,
    /// The name is under a public top-level domain.
    PublicName,
    /// The address is covered by no configured network.
    OtherAddress,
    /// The host could not be read.
    Unreadable,
    /// A message: [`Destination::message`].
    Message,
    /// A message that takes credentials: [`Destination::message_with_credentials`].
    MessageWithCredentials,
}

impl Placement {
    /// Whether the destination is a host in the mesh.
    #[must_use]
    pub const fn in_mesh(self) -> bool {
        matches!(self, Self::Loopback | Self::PrivateName | Self::Configured)
    }

    /// A sentence's second half: `is a loopback address`.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Loopback => "is loopback",
            Self::PrivateName => "is under no public top-level domain",
            Self::Configured => "is a configured mesh host",
            Self::LinkLocal => "is link-local, where instance metadata lives",
            Self::PublicName => "is under a public top-level domain, and not configured as a mesh host",
            Self::OtherAddress => "is an address in no configured mesh network",
            Self::Unreadable => "has no host that can be read",
            Self::Message => "is a message, which is stored and read by whoever subscribes",
            Self::MessageWithCredentials => "is a message that takes credentials",
        }
    }

    /// Whether headers of a class may go there.
    pub(crate) fn admits(self, class: Class, trace: TraceDestinations) -> bool {
        match self {
            Self::MessageWithCredentials => true,
            Self::Message => class != Class::Credential,
            _ => self.in_mesh() || (class == Class::Trace && trace == TraceDestinations::All),
        }
    }
}

/// Names of link-local addresses: the metadata services of two clouds, which no public list tells from a service.
const METADATA_NAMES: &[&str] = &["metadata.google.internal", "instance-data.ec2.internal"];

/// The configured hosts and networks.
#[derive(Debug, Default)]
pub(crate) struct MeshHosts {
    patterns: Vec<HostPattern>,
    networks: Vec<IpNet>,
}

#[derive(Debug)]
enum HostPattern {
    Exact(Box<str>),
    /// Every name below this domain; kept with its leading dot.
    Below(Box<str>),
}

impl MeshHosts {
    pub(crate) fn parse(tokens: &[impl AsRef<str>]) -> Result<Self, PolicyError> {
        let mut hosts = Self::default();
        for token in tokens {
            hosts.add(token.as_ref())?;
        }
        Ok(hosts)
    }

    fn add(&mut self, token: &str) -> Result<(), PolicyError> {
        let invalid = |advice| Err(PolicyError::new(PolicyErrorKind::InvalidMeshHost, token, advice));
        if token == "*" {
            return invalid("puts the whole internet into the mesh; name hosts, such as `*.corp.example`");
        }
        if token.contains('/') && !token.contains("://") {
            let Ok(network) = token.parse::<IpNet>() else {
                return invalid(
                    "is not a network; write an address and a prefix length, such as `10.0.0.0/8`",
                );
            };
            self.networks.push(network.trunc());
            return Ok(());
        }
        let (name, below) = match token.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (token, false),
        };
        match parse::host(name) {
            Host::Ip(address) if !below => self.networks.push(address.into()),
            Host::Name(name) if below => {
                self.patterns.push(HostPattern::Below(format!(".{}", name.to_ascii_lowercase()).into()));
            }
            Host::Name(name) => self.patterns.push(HostPattern::Exact(name.to_ascii_lowercase().into())),
            _ => {
                return invalid(
                    "is not a host; write a name without scheme or port, `*.corp.example`, an address, or a network such as `10.0.0.0/8`",
                );
            }
        }
        Ok(())
    }

    pub(crate) fn place(&self, destination: &Destination<'_>) -> Placement {
        match destination.host {
            Host::Ip(address) => self.place_address(address),
            Host::Name(name) => self.place_name(name),
            Host::Unknown => Placement::Unreadable,
            Host::Message { credentials: false } => Placement::Message,
            Host::Message { credentials: true } => Placement::MessageWithCredentials,
        }
    }

    fn place_address(&self, address: IpAddr) -> Placement {
        let link_local = match address {
            IpAddr::V4(address) => address.is_link_local(),
            IpAddr::V6(address) => address.is_unicast_link_local(),
        };
        if link_local {
            Placement::LinkLocal
        } else if address.is_loopback() {
            Placement::Loopback
        } else if self.networks.iter().any(|network| network.contains(&address)) {
            Placement::Configured
        } else {
            Placement::OtherAddress
        }
    }

    fn place_name(&self, name: &str) -> Placement {
        if METADATA_NAMES.iter().any(|metadata| metadata.eq_ignore_ascii_case(name)) {
            return Placement::LinkLocal;
        }
        let last = name.rsplit('.').next().unwrap_or(name);
        if last.eq_ignore_ascii_case("localhost") {
            Placement::Loopback
        } else if self.patterns.iter().any(|pattern| pattern.matches(name)) {
            Placement::Configured
        } else if last.len() < name.len() && is_public(last) {
            Placement::PublicName
        } else {
            Placement::PrivateName
        }
    }
}

impl HostPattern {
    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(host) => host.eq_ignore_ascii_case(name),
            Self::Below(domain) => {
                let bytes = name.as_bytes();
                bytes.len() > domain.len()
                    && bytes[bytes.len() - domain.len()..].eq_ignore_ascii_case(domain.as_bytes())
            }
        }
    }
}

/// Whether the public suffix list knows a top-level domain.
fn is_public(label: &str) -> bool {
    // No private domain is internationalised; the list holds those in another spelling than the wire.
    if label.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("xn--")) {
        return true;
    }
    // Two labels in front, because the list knows some domains only by what is registered below them (`*.ck`).
    let mut name = *b"a.a.000000000000000000000000000000000000000000000000000000000000000";
    let end = 4 + label.len();
    let Some(place) = name.get_mut(4..end) else { return true };
    place.copy_from_slice(label.as_bytes());
    place.make_ascii_lowercase();
    psl::suffix(&name[..end]).is_some_and(|suffix| suffix.is_known())
}

//! Reading a destination. Where two parsers could disagree about the host, the answer is [`Host::Unknown`].

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Destination, Host};

pub(super) fn destination(text: &str) -> Destination<'_> {
    let unknown = Destination { host: Host::Unknown, presigned: false };
    // Browsers read `\` as `/`, others as part of the host; white space and controls are stripped by some.
    if text.bytes().any(|byte| byte <= b' ' || byte == b'\\' || byte == 0x7F) {
        return unknown;
    }
    let rest = match text.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => rest,
        Some(_) => return unknown,
        None => text,
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let query = tail.split_once('?').map_or("", |(_, query)| query);
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    Destination { host: self::authority(authority), presigned: is_presigned(query) }
}

/// The host of `user@host:port`.
pub(super) fn authority(text: &str) -> Host<'_> {
    let host_and_port = text.rsplit_once('@').map_or(text, |(_, host)| host);
    without_port(host_and_port).map_or(Host::Unknown, host)
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// The host, if what follows it is a port or nothing.
fn without_port(authority: &str) -> Option<&str> {
    let (host, port) = match authority.rfind(']') {
        Some(bracket) => authority.split_at(bracket + 1),
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port = if port.is_empty() { "0" } else { port.strip_prefix(':')? };
    (port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit())).then_some(host)
}

pub(super) fn host(text: &str) -> Host<'_> {
    if let Some(inner) = text.strip_prefix('[') {
        let address =
            inner.strip_suffix(']').map(without_zone).and_then(|inner| inner.parse::<Ipv6Addr>().ok());
        return address.map_or(Host::Unknown, |address| Host::Ip(address.to_canonical()));
    }
    if let Ok(address) = without_zone(text).parse::<Ipv6Addr>() {
        return Host::Ip(address.to_canonical());
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    if let Ok(address) = name.parse::<Ipv4Addr>() {
        return Host::Ip(address.into());
    }
    if is_name(name) { Host::Name(name) } else { Host::Unknown }
}

fn without_zone(address: &str) -> &str {
    address.split_once('%').map_or(address, |(address, _)| address)
}

/// Letters, digits, `-` and `_` in labels of 1 to 63, and not one of the spellings of an IPv4 address that resolvers
/// take beside the dotted quad (`2130706433`, `127.1`, `0x7f.1`).
fn is_name(name: &str) -> bool {
    let labels_fit = name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        });
    let last = name.rsplit('.').next().unwrap_or(name);
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let numeric = match hexadecimal {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => last.bytes().all(|byte| byte.is_ascii_digit()),
    };
    labels_fit && !numeric
}

/// Whether a query carries a signature of the URL: what is added to such a request may break it.
pub(super) fn is_presigned(query: &str) -> bool {
    let has = |name: &str| {
        query.split('&').any(|pair| {
            let key = pair.split_once('=').map_or(pair, |(key, _)| key);
            key.eq_ignore_ascii_case(name)
        })
    };
    has("X-Amz-Signature") || has("X-Goog-Signature") || (has("AWSAccessKeyId") && has("Signature"))
}

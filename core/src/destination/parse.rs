//! Reading a destination. Where two parsers could disagree about the host, the answer is [`Host::Unknown`].

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Destination, Host};

pub(super) fn destination(text: &str) -> Destination<'_> {
    let unknown = Destination { host: Host::Unknown, presigned: false };
    // Browsers read `\` as `/`, others as part of the host; white space and controls are stripped by some.
    if text.bytes().any(|byte| byte <= b' ' || byte == b'\\' || byte == 0x7F) {
        return unknown;
    }
    let rest = match cut(text, b':') {
        Some((scheme, rest)) if rest.starts_with("//") => {
            if !is_scheme(scheme) {
                return unknown;
            }
            &rest[2..]
        }
        _ => text,
    };
    let end = rest.bytes().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    if authority.is_empty() {
        return unknown;
    }
    let query = cut(tail, b'?').map_or("", |(_, query)| query);
    let query = cut(query, b'#').map_or(query, |(query, _)| query);
    Destination { host: self::authority(authority), presigned: is_presigned(query) }
}

/// What is before and behind the first `byte`. The standard library's search prepares for texts much longer than a URL.
fn cut(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|other| other == byte)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// The host of `user@host:port`.
pub(super) fn authority(text: &str) -> Host<'_> {
    let at = text.bytes().rposition(|byte| byte == b'@').map_or(0, |at| at + 1);
    let host_and_port = text.get(at..).unwrap_or_default();
    without_port(host_and_port).map_or(Host::Unknown, host)
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// The host, if what follows it is a port or nothing.
fn without_port(authority: &str) -> Option<&str> {
    let end = if authority.starts_with('[') {
        authority.bytes().position(|byte| byte == b']')? + 1
    } else {
        authority.bytes().position(|byte| byte == b':').unwrap_or(authority.len())
    };
    let (host, port) = authority.split_at(end);
    if port.is_empty() {
        return Some(host);
    }
    let port = port.strip_prefix(':')?;
    (port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit())).then_some(host)
}

pub(super) fn host(text: &str) -> Host<'_> {
    if let Some(inner) = text.strip_prefix('[') {
        let address =
            inner.strip_suffix(']').map(without_zone).and_then(|inner| inner.parse::<Ipv6Addr>().ok());
        return address.map_or(Host::Unknown, |address| Host::Ip(address.to_canonical()));
    }
    if text.bytes().any(|byte| byte == b':') {
        let address = without_zone(text).parse::<Ipv6Addr>();
        return address.map_or(Host::Unknown, |address| Host::Ip(address.to_canonical()));
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    if name.ends_with(|last: char| last.is_ascii_digit())
        && let Ok(address) = name.parse::<Ipv4Addr>()
    {
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
    let mut label = 0;
    for byte in name.bytes() {
        label = match byte {
            b'.' if label == 0 => return false,
            b'.' => 0,
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' if label < 63 => label + 1,
            _ => return false,
        };
    }
    label > 0 && name.len() <= 253 && !is_number(&name[name.len() - label..])
}

fn is_number(label: &str) -> bool {
    match label.strip_prefix("0x").or_else(|| label.strip_prefix("0X")) {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => label.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

/// Whether a query carries a signature of the URL: what is added to such a request may break it.
pub(super) fn is_presigned(query: &str) -> bool {
    if query.is_empty() {
        return false;
    }
    let has = |name: &str| {
        query.split('&').any(|pair| {
            let key = cut(pair, b'=').map_or(pair, |(key, _)| key);
            key.eq_ignore_ascii_case(name)
        })
    };
    has("X-Amz-Signature") || has("X-Goog-Signature") || (has("AWSAccessKeyId") && has("Signature"))
}

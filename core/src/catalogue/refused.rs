//! Names that no policy may list (rule R9).

/// A name, or a prefix when it ends in `-`, and why forwarding it does harm: the rest of a sentence.
const REFUSED: &[(&str, &str)] = &[
    ("host", "names the destination of one request, so it must not be forwarded"),
    ("content-length", "frames the body of one message, so it must not be forwarded"),
    ("content-type", "describes the body of one message, so it must not be forwarded"),
    ("content-encoding", "describes the body of one message, so it must not be forwarded"),
    ("transfer-encoding", "frames the body of one message, so it must not be forwarded"),
    ("connection", "belongs to one connection, so it must not be forwarded"),
    ("te", "belongs to one connection, so it must not be forwarded"),
    ("upgrade", "belongs to one connection, so it must not be forwarded"),
    ("trailer", "frames the body of one message, so it must not be forwarded"),
    ("keep-alive", "belongs to one connection, so it must not be forwarded"),
    ("expect", "belongs to one connection, so it must not be forwarded"),
    ("forwarded", "is written hop by hop by proxies, so it must not be forwarded"),
    ("via", "is written hop by hop by proxies, so it must not be forwarded"),
    ("http2-settings", "belongs to one connection, so it must not be forwarded"),
    ("proxy-", "belongs to one connection, so it must not be forwarded"),
    ("x-forwarded-", "makes internal calls look external, so it must not be forwarded"),
    ("x-envoy-", "is Envoy's own and steers the next proxy, so it must not be forwarded"),
];

/// Why `name` (or the prefix of a rule) must not be forwarded. Also evaluated by the compiler, for the attribute.
pub(crate) const fn reason(name: &[u8]) -> Option<&'static str> {
    let mut row = 0;
    while row < REFUSED.len() {
        let (refused, reason) = REFUSED[row];
        let refused = refused.as_bytes();
        let prefix = refused[refused.len() - 1] == b'-';
        let head = if prefix && name.len() > refused.len() { name.split_at(refused.len()).0 } else { name };
        if head.eq_ignore_ascii_case(refused) {
            return Some(reason);
        }
        row += 1;
    }
    None
}

/// Every refused name; prefixes end in `*`.
pub(crate) fn names() -> impl Iterator<Item = String> {
    REFUSED.iter().map(|(name, _)| if name.ends_with('-') { format!("{name}*") } else { (*name).to_owned() })
}

/// Whether `name` is an HTTP field name (RFC 9110, token).
pub(crate) const fn is_token(name: &[u8]) -> bool {
    let mut i = 0;
    while i < name.len() {
        let valid = matches!(name[i],
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+'
            | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~');
        if !valid {
            return false;
        }
        i += 1;
    }
    !name.is_empty()
}

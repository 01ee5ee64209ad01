//! Names that no policy may list (rule R9).

/// A name, or a prefix when it ends in `-`, and why forwarding it does harm.
const REFUSED: &[(&str, &str)] = &[
    ("host", "it names the destination of one request"),
    ("content-length", "it frames the body of one message"),
    ("content-type", "it describes the body of one message"),
    ("content-encoding", "it describes the body of one message"),
    ("transfer-encoding", "it frames the body of one message"),
    ("connection", "it belongs to one connection"),
    ("te", "it belongs to one connection"),
    ("upgrade", "it belongs to one connection"),
    ("trailer", "it frames the body of one message"),
    ("keep-alive", "it belongs to one connection"),
    ("expect", "it belongs to one connection"),
    ("forwarded", "it is written hop by hop by proxies"),
    ("via", "it is written hop by hop by proxies"),
    ("http2-settings", "it belongs to one connection"),
    ("proxy-", "it belongs to one connection"),
    ("x-forwarded-", "forwarding it makes internal calls look external"),
    ("x-envoy-", "it is Envoy's own, and steers the next proxy"),
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

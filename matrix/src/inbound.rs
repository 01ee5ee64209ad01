//! The request that every check starts with: Bookinfo's headers.

/// A header line.
pub type Line = (String, Vec<u8>);

/// Bookinfo's headers, one of them twice, and one value that is not ASCII.
const FORWARDED: [(&str, &str); 21] = [
    ("x-request-id", "7f6c1d4e-5a3b-4c2d-8e1f-0a9b8c7d6e5f"),
    ("x-ot-span-context", "span-context=1"),
    ("x-datadog-trace-id", "1234567890"),
    ("x-datadog-parent-id", "987654321"),
    ("x-datadog-sampling-priority", "1"),
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("tracestate", "rojo=00f067aa0ba902b7"),
    ("tracestate", "congo=t61rcWkgMzE"),
    ("x-cloud-trace-context", "105445aa7843bc8bf206b12000100000/1;o=1"),
    ("grpc-trace-bin", "AAAK92UZFs1D3YRI6yEcgDGcAbetaXFpIDMxAgE"),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64)"),
    ("cookie", "session=a b; user=\"jason\""),
    ("authorization", "Bearer secret+/="),
    ("jwt", "eyJhbGciOiJIUzI1NiJ9.e30.c2ln"),
    ("x-b3-traceid", "80f198ee56343ba864fe8b2a57d3eff7"),
    ("x-b3-spanid", "e457b5a2e4d86bd1"),
    ("x-b3-parentspanid", "05e3ac9a4f6e3b90"),
    ("x-b3-sampled", "1"),
    ("x-b3-flags", "0"),
    ("sw8", "1-TRACEID-SEGID-3-PARENT-INST-EP-OAP"),
    ("end-user", "jas\u{f6}n"),
];

/// What goes outside the mesh: ids and sampling.
const OUTSIDE: [&str; 15] = [
    "x-request-id",
    "x-ot-span-context",
    "x-datadog-trace-id",
    "x-datadog-parent-id",
    "x-datadog-sampling-priority",
    "traceparent",
    "tracestate",
    "x-cloud-trace-context",
    "grpc-trace-bin",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-flags",
    "sw8",
];

/// A header that nobody forwards.
const UNKNOWN: (&str, &str) = ("x-unknown", "stays");

/// What is sent, in this order.
pub fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    FORWARDED.into_iter().chain([UNKNOWN])
}

/// What may arrive at the echo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Every header, byte for byte.
    All,
    /// Trace headers only.
    Trace,
    /// Every header, but of the family that the program itself has set only what it has set.
    CallersOwn,
    /// A request without any of the headers.
    Bare,
    /// No request at all.
    NoRequest,
}

impl Expected {
    /// The lines, by name; those of one name in order.
    pub fn lines(self) -> Option<Vec<Line>> {
        let own = [("tracestate", "mine=1")];
        let mut lines: Vec<(&str, &str)> = match self {
            Self::NoRequest => return None,
            Self::Bare => Vec::new(),
            Self::All => FORWARDED.to_vec(),
            Self::Trace => FORWARDED.into_iter().filter(|(name, _)| OUTSIDE.contains(name)).collect(),
            Self::CallersOwn => FORWARDED
                .into_iter()
                .filter(|(name, _)| !["traceparent", "tracestate"].contains(name))
                .chain(own)
                .collect(),
        };
        lines.sort_by_key(|(name, _)| *name);
        Some(lines.into_iter().map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).collect())
    }
}

/// Of the lines that arrived those that can come from the inbound request, by name. A client's own `user-agent` is
/// not one of them, unless there is a second.
pub fn relevant(mut arrived: Vec<Line>) -> Vec<Line> {
    let user_agents = arrived.iter().filter(|(name, _)| name == "user-agent").count();
    let inbound = |value: &[u8]| lines().any(|(name, sent)| name == "user-agent" && sent.as_bytes() == value);
    arrived.retain(|(name, value)| {
        lines().any(|(sent, _)| sent == name) && (name != "user-agent" || user_agents > 1 || inbound(value))
    });
    arrived.sort_by(|(a, _), (b, _)| a.cmp(b));
    arrived
}

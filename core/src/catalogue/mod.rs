//! Every header that Onward knows: the only place in the code where header names stand.
//!
//! Each header is a documented constant; a [preset](PRESETS) is a list of these constants. What a user adds to a
//! policy and is not here is forwarded as [`Class::Context`], in a family of its own.

mod known;
pub(crate) mod presets;
pub(crate) mod refused;

pub use known::*;
pub use presets::{PRESETS, Preset};

/// What a header carries, and with it where it may go by itself (rule R8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Ids and sampling decisions: to any destination, unless configured otherwise.
    Trace,
    /// Baggage, routing, `end-user`, `user-agent`: to in-mesh destinations only.
    Context,
    /// Cookies and tokens: to in-mesh destinations only, and the first to go when a capture is too large.
    Credential,
}

impl Class {
    /// `trace`, `context` or `credential`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Context => "context",
            Self::Credential => "credential",
        }
    }
}

/// The headers of one trace format that belong together: a caller who sets one of them keeps all of them (rule R6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Family {
    /// The header stands for itself.
    Alone,
    /// `x-b3-*`.
    B3Multi,
    /// `traceparent` and `tracestate`.
    W3c,
    /// `uber-trace-id` and its baggage.
    Jaeger,
    /// `x-datadog-*`.
    Datadog,
    /// `ot-tracer-*` and `ot-baggage-*`.
    OtTracer,
    /// `sw8`, `sw8-x`, `sw8-correlation`.
    SkyWalking,
}

/// One row of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header {
    /// The name in lower case. One that ends in `*` stands for every name with that prefix.
    pub name: &'static str,
    /// Which headers it belongs together with.
    pub family: Family,
    /// What it carries.
    pub class: Class,
    /// What joins repeated lines into one value where the outbound carrier has one value per name (rule R3).
    pub separator: &'static str,
    /// Who needs it.
    pub used_by: &'static str,
    /// Where its format is specified.
    pub spec: &'static str,
}

/// The row for `name`, whatever its case. Names under a prefix row are found too.
///
/// # Examples
///
/// ```
/// use onward::catalogue::{self, Class};
///
/// assert_eq!(catalogue::find("Cookie").map(|header| header.class), Some(Class::Credential));
/// assert_eq!(catalogue::find("uberctx-tenant").map(|header| header.name), Some("uberctx-*"));
/// assert!(catalogue::find("x-tenant-id").is_none());
/// ```
#[must_use]
pub fn find(name: &str) -> Option<&'static Header> {
    let name = name.as_bytes();
    CATALOGUE.iter().copied().find(|header| match header.name.strip_suffix('*') {
        Some(prefix) => starts_with(name, prefix.as_bytes()),
        None => header.name.as_bytes().eq_ignore_ascii_case(name),
    })
}

/// Whether `name` starts with `prefix`, whatever its case.
pub(crate) fn starts_with(name: &[u8], prefix: &[u8]) -> bool {
    name.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}

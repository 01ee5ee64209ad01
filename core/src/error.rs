//! What can be wrong with a policy.

use std::fmt;

/// A mistake in a policy, found when it is built, whether it came from code or from the environment.
///
/// The message names the offending [token](Self::token) and says what to write instead.
///
/// # Examples
///
/// ```
/// use onward::{PolicyErrorKind, Propagator};
///
/// let error = Propagator::builder().add("content-length").build().unwrap_err();
/// assert_eq!(error.kind(), PolicyErrorKind::RefusedHeader);
/// assert_eq!(error.token(), "content-length");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct PolicyError {
    kind: PolicyErrorKind,
    token: String,
    variable: Option<&'static str>,
    advice: String,
}

/// The kinds of [`PolicyError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PolicyErrorKind {
    /// No preset has this name.
    UnknownPreset,
    /// Not an HTTP field name.
    InvalidHeaderName,
    /// A header that belongs to one hop or one message (rule R9).
    RefusedHeader,
    /// `*` stands somewhere else than at the end, or alone.
    InvalidPrefix,
    /// A name is taken out that is not in the policy.
    NothingToRemove,
    /// A token of `ONWARD_HEADERS` starts with neither `+` nor `-`.
    MissingSign,
    /// Two commas with nothing between them.
    EmptyToken,
    /// Neither a host name, nor `*.domain`, nor an address, nor a CIDR.
    InvalidMeshHost,
    /// Neither `all` nor `mesh`.
    InvalidTraceDestinations,
    /// A limit that no capture could keep.
    InvalidLimit,
    /// The process-wide default was set, or used, before.
    DefaultAlreadySet,
}

impl PolicyErrorKind {
    /// Every kind, so that bindings can prove that they know them all.
    pub const ALL: &[Self] = &[
        Self::UnknownPreset,
        Self::InvalidHeaderName,
        Self::RefusedHeader,
        Self::InvalidPrefix,
        Self::NothingToRemove,
        Self::MissingSign,
        Self::EmptyToken,
        Self::InvalidMeshHost,
        Self::InvalidTraceDestinations,
        Self::InvalidLimit,
        Self::DefaultAlreadySet,
    ];

    /// The kind in `snake_case`: the `code` of the error in Python and Node.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownPreset => "unknown_preset",
            Self::InvalidHeaderName => "invalid_header_name",
            Self::RefusedHeader => "refused_header",
            Self::InvalidPrefix => "invalid_prefix",
            Self::NothingToRemove => "nothing_to_remove",
            Self::MissingSign => "missing_sign",
            Self::EmptyToken => "empty_token",
            Self::InvalidMeshHost => "invalid_mesh_host",
            Self::InvalidTraceDestinations => "invalid_trace_destinations",
            Self::InvalidLimit => "invalid_limit",
            Self::DefaultAlreadySet => "default_already_set",
        }
    }
}

impl PolicyError {
    pub(crate) fn new(kind: PolicyErrorKind, token: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { kind, token: token.into(), variable: None, advice: advice.into() }
    }

    /// Says which environment variable the token stands in, unless an inner step has said so.
    pub(crate) fn in_variable(mut self, variable: &'static str) -> Self {
        self.variable.get_or_insert(variable);
        self
    }

    /// Which mistake it is.
    #[must_use]
    pub fn kind(&self) -> PolicyErrorKind {
        self.kind
    }

    /// The offending text, as the user wrote it.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The environment variable that the token stands in, where it came from one.
    #[must_use]
    pub fn variable(&self) -> Option<&'static str> {
        self.variable
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(variable) = self.variable {
            write!(f, "{variable}: ")?;
        }
        write!(f, "`{}` {}", self.token.escape_debug(), self.advice)
    }
}

/// The message, as it is what `main` prints of an error that it returns.
impl fmt::Debug for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for PolicyError {}

//! What a user says about a policy, before it is compiled.

use super::{MAX_BYTES, MAX_PREFIX_HEADERS, TraceDestinations, compile, env};
use crate::{PolicyError, Propagator};

/// What a user has said, in their own words: kept so that a policy can be derived from another.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// None given means the default one.
    pub(crate) presets: Vec<String>,
    pub(crate) edits: Vec<Edit>,
    pub(crate) mesh_hosts: Vec<String>,
    pub(crate) trace_destinations: TraceDestinations,
    pub(crate) max_bytes: usize,
    pub(crate) max_prefix_headers: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum Edit {
    Add(String),
    /// Taking out what is not there is an error: it is most likely misspelt, in code or in this variable.
    Remove(String, Option<&'static str>),
    /// Taking out what is not there changes nothing.
    Except(String),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            presets: Vec::new(),
            edits: Vec::new(),
            mesh_hosts: Vec::new(),
            trace_destinations: TraceDestinations::All,
            max_bytes: MAX_BYTES,
            max_prefix_headers: MAX_PREFIX_HEADERS,
        }
    }
}

/// Builds a [`Propagator`]. Nothing is checked before [`build`](Self::build), which reports the first mistake.
///
/// # Examples
///
/// ```
/// use onward::{Propagator, TraceDestinations};
///
/// let propagator = Propagator::builder()
///     .preset("w3c")
///     .preset("session")
///     .add("x-tenant-id")
///     .add("x-canary-*")
///     .remove("cookie")
///     .mesh_host("*.corp.example")
///     .mesh_host("10.0.0.0/8")
///     .trace_destinations(TraceDestinations::Mesh)
///     .build()?;
/// # Ok::<(), onward::PolicyError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing before `build`"]
pub struct PropagatorBuilder {
    pub(crate) settings: Settings,
    error: Option<PolicyError>,
}

impl PropagatorBuilder {
    pub(crate) fn from_settings(settings: Settings) -> Self {
        Self { settings, error: None }
    }

    /// Adds the headers of a [preset](crate::catalogue::PRESETS). Without any, the preset is `istio`.
    pub fn preset(mut self, name: impl Into<String>) -> Self {
        self.settings.presets.push(name.into());
        self
    }

    /// Replaces the presets named so far.
    pub fn presets<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.settings.presets = names.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a header by its name, or every header with a prefix: `x-tenant-id`, `x-canary-*`. What the
    /// [catalogue](crate::catalogue) does not know is of class context. Adding what is there changes nothing.
    #[expect(clippy::should_implement_trait, reason = "`add` is the word of the contract, and takes a name")]
    pub fn add(mut self, name: impl Into<String>) -> Self {
        self.settings.edits.push(Edit::Add(name.into()));
        self
    }

    /// Takes out a header, or every header with a prefix: `cookie`, `x-b3-*`. Applied after the presets, in the
    /// order of the calls of `add` and `remove`.
    pub fn remove(mut self, name: impl Into<String>) -> Self {
        self.settings.edits.push(Edit::Remove(name.into(), None));
        self
    }

    /// Takes out a header that the policy may or may not have: for policies that are derived from another one.
    pub fn except(mut self, name: impl Into<String>) -> Self {
        self.settings.edits.push(Edit::Except(name.into()));
        self
    }

    /// Counts more destinations as in-mesh: a host (`api.corp.example`), every name below a domain
    /// (`*.corp.example`), an address (`10.1.2.3`), or a network (`10.0.0.0/8`).
    pub fn mesh_host(mut self, pattern: impl Into<String>) -> Self {
        self.settings.mesh_hosts.push(pattern.into());
        self
    }

    /// Where automatic injection sends trace headers.
    pub fn trace_destinations(mut self, destinations: TraceDestinations) -> Self {
        self.settings.trace_destinations = destinations;
        self
    }

    /// The most that one capture holds, in bytes of names and values together. 32 KiB unless said otherwise.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_bytes = bytes;
        self
    }

    /// The most header lines that prefix rules capture of one request. 64 unless said otherwise.
    pub fn max_prefix_headers(mut self, lines: usize) -> Self {
        self.settings.max_prefix_headers = lines;
        self
    }

    /// Takes up configuration in the grammar of the environment. `variable` gives the value of `ONWARD_PRESETS`,
    /// `ONWARD_HEADERS`, `ONWARD_MESH_HOSTS` and `ONWARD_TRACE_DESTINATIONS`; unset and empty are the same.
    ///
    /// ```
    /// use onward::Propagator;
    ///
    /// let variables = |name: &str| (name == "ONWARD_HEADERS").then(|| "+x-tenant-id,-cookie".to_owned());
    /// let propagator = Propagator::builder().variables(variables).build()?;
    /// # Ok::<(), onward::PolicyError>(())
    /// ```
    pub fn variables(mut self, variable: impl Fn(&str) -> Option<String>) -> Self {
        if let Err(error) = env::read(&mut self.settings, variable) {
            self.error.get_or_insert(error);
        }
        self
    }

    /// Checks and compiles the policy.
    ///
    /// # Errors
    ///
    /// The first mistake, with the offending token and what to write instead.
    pub fn build(self) -> Result<Propagator, PolicyError> {
        match self.error {
            Some(error) => Err(error),
            None => compile::compile(self.settings).map(Propagator::from_policy),
        }
    }
}

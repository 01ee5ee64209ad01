//! The grammar of the environment (rule R12), the same in every language.

use super::TraceDestinations;
use super::builder::{Edit, Settings};
use super::compile::{self, Pattern};
use crate::destination::MeshHosts;
use crate::{PolicyError, PolicyErrorKind};

const PRESETS: &str = "ONWARD_PRESETS";
const HEADERS: &str = "ONWARD_HEADERS";
const MESH_HOSTS: &str = "ONWARD_MESH_HOSTS";
const TRACE_DESTINATIONS: &str = "ONWARD_TRACE_DESTINATIONS";

pub(crate) fn read(
    settings: &mut Settings,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(), PolicyError> {
    let variable = |name| variable(name).filter(|value| !value.trim().is_empty());
    if let Some(value) = variable(PRESETS) {
        for name in tokens(PRESETS, &value)? {
            compile::preset(name).map_err(|error| error.in_variable(PRESETS))?;
            settings.presets.push(name.into());
        }
    }
    if let Some(value) = variable(HEADERS) {
        for token in tokens(HEADERS, &value)? {
            settings.edits.push(edit(token).map_err(|error| error.in_variable(HEADERS))?);
        }
    }
    if let Some(value) = variable(MESH_HOSTS) {
        for host in tokens(MESH_HOSTS, &value)? {
            MeshHosts::parse(&[host]).map_err(|error| error.in_variable(MESH_HOSTS))?;
            settings.mesh_hosts.push(host.into());
        }
    }
    if let Some(value) = variable(TRACE_DESTINATIONS) {
        settings.trace_destinations =
            value.trim().parse().map_err(|error: PolicyError| error.in_variable(TRACE_DESTINATIONS))?;
    }
    Ok(())
}

fn tokens<'a>(variable: &'static str, value: &'a str) -> Result<Vec<&'a str>, PolicyError> {
    value
        .split(',')
        .map(|token| match token.trim() {
            "" => Err(PolicyError::new(
                PolicyErrorKind::EmptyToken,
                value,
                "has nothing between two commas, or at an end; take the extra comma out",
            )
            .in_variable(variable)),
            token => Ok(token),
        })
        .collect()
}

fn edit(token: &str) -> Result<Edit, PolicyError> {
    if matches!(token, "+" | "-") {
        return Err(PolicyError::new(
            PolicyErrorKind::InvalidHeaderName,
            token,
            "has no header name behind it; write one, such as `+x-tenant-id`",
        ));
    }
    if let Some(name) = token.strip_prefix('+') {
        Pattern::parse(name.trim()).map(|_| Edit::Add(name.trim().into()))
    } else if let Some(name) = token.strip_prefix('-') {
        Pattern::parse(name.trim()).map(|_| Edit::Remove(name.trim().into(), Some(HEADERS)))
    } else {
        Err(PolicyError::new(
            PolicyErrorKind::MissingSign,
            token,
            format!("has no sign; write `+{token}` to forward it, `-{token}` to take it out"),
        ))
    }
}

impl std::str::FromStr for TraceDestinations {
    type Err = PolicyError;

    /// Reads `all` or `mesh`.
    fn from_str(text: &str) -> Result<Self, PolicyError> {
        match text {
            "all" => Ok(Self::All),
            "mesh" => Ok(Self::Mesh),
            _ => Err(PolicyError::new(
                PolicyErrorKind::InvalidTraceDestinations,
                text,
                "is not a choice; write `all` or `mesh`",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Propagator;

    #[test]
    fn every_mistake_names_its_variable() {
        for (variable, value) in [
            ("ONWARD_PRESETS", "istoi"),
            ("ONWARD_PRESETS", "istio,"),
            ("ONWARD_HEADERS", "x-tenant-id"),
            ("ONWARD_HEADERS", "+host"),
            ("ONWARD_HEADERS", "-cokie"),
            ("ONWARD_MESH_HOSTS", "*"),
            ("ONWARD_TRACE_DESTINATIONS", "none"),
        ] {
            let variables = |name: &str| (name == variable).then(|| value.to_owned());
            let error = Propagator::builder().variables(variables).build().unwrap_err();
            assert_eq!(error.variable(), Some(variable), "{error}");
        }
        assert_eq!(Propagator::builder().remove("cokie").build().unwrap_err().variable(), None);
    }

    #[test]
    fn a_url_among_the_mesh_hosts_is_told_to_be_a_name() {
        let message =
            Propagator::builder().mesh_host("https://corp.example").build().unwrap_err().to_string();
        assert!(message.contains("without scheme or port"), "{message}");
    }
}

//! What the environment says.

/// The settings of both services.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// Address to listen on.
    pub(crate) host: String,
    /// Port to listen on; 0 takes a free one.
    pub(crate) port: u16,
    /// Base address of storage, without a slash at the end.
    pub(crate) storage_address: String,
    /// False runs the demo's control: nothing is forwarded.
    pub(crate) forwarding: bool,
}

impl Config {
    /// Reads the settings with `var`, which gives a variable's value. An empty variable counts as unset.
    ///
    /// # Errors
    ///
    /// A message, when `PORT` is no port.
    pub(crate) fn from_vars(var: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let get = |name: &str, default: &str| {
            var(name).filter(|value| !value.is_empty()).unwrap_or_else(|| default.to_owned())
        };
        let port = get("PORT", "9080");
        Ok(Self {
            host: get("HOST", "0.0.0.0"),
            port: port
                .parse()
                .map_err(|_| format!("PORT is \"{port}\", but has to be a number from 0 to 65535"))?,
            storage_address: format!(
                "http://{}:{}",
                get("STORAGE_HOSTNAME", "dockebi-storage"),
                get("STORAGE_SERVICE_PORT", "9080")
            ),
            forwarding: get("ONWARD_DEMO_FORWARDING", "on") != "off",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_environment_finds_storage_by_its_name() {
        let expected = Config {
            host: "0.0.0.0".into(),
            port: 9080,
            storage_address: "http://dockebi-storage:9080".into(),
            forwarding: true,
        };
        assert_eq!(Config::from_vars(|_| None), Ok(expected));
    }

    #[test]
    fn a_port_that_is_none_is_named() {
        let message = "PORT is \"x\", but has to be a number from 0 to 65535";
        let vars = |name: &str| (name == "PORT").then(|| "x".to_owned());
        assert_eq!(Config::from_vars(vars), Err(message.to_owned()));
    }
}

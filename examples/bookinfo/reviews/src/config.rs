//! What the environment says.

use std::time::Duration;

/// The service's settings.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// Address to listen on.
    pub(crate) host: String,
    /// Port to listen on; 0 takes a free one.
    pub(crate) port: u16,
    /// For the line that says that the service is ready.
    pub(crate) version: String,
    /// Whether ratings are asked for: not in v1.
    pub(crate) ratings_enabled: bool,
    /// Colour of the stars: black in v2, red in v3.
    pub(crate) star_color: String,
    /// Base address of the ratings service, without a slash at the end.
    pub(crate) ratings_address: String,
    /// Name of this pod, `null` where there is none.
    pub(crate) podname: String,
    /// Name of this cluster, `null` where there is none.
    pub(crate) clustername: String,
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
        let domain = match get("SERVICES_DOMAIN", "") {
            domain if domain.is_empty() => domain,
            domain => format!(".{domain}"),
        };
        Ok(Self {
            host: get("HOST", "0.0.0.0"),
            port: port
                .parse()
                .map_err(|_| format!("PORT is \"{port}\", but has to be a number from 0 to 65535"))?,
            version: get("SERVICE_VERSION", "v1"),
            ratings_enabled: get("ENABLE_RATINGS", "false").eq_ignore_ascii_case("true"),
            star_color: get("STAR_COLOR", "black"),
            ratings_address: format!(
                "http://{}{domain}:{}",
                get("RATINGS_HOSTNAME", "ratings"),
                get("RATINGS_SERVICE_PORT", "9080")
            ),
            podname: get("HOSTNAME", "null"),
            clustername: get("CLUSTER_NAME", "null"),
            forwarding: get("ONWARD_DEMO_FORWARDING", "on") != "off",
        })
    }

    /// How long ratings may take to connect, and to answer. v3 is less patient than v2, so that one and the same
    /// injected delay breaks one of them only.
    pub(crate) fn ratings_timeout(&self) -> Duration {
        if self.star_color == "black" { Duration::from_secs(10) } else { Duration::from_millis(2500) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(vars: &[(&str, &str)]) -> Result<Config, String> {
        Config::from_vars(|name| {
            vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn an_empty_environment_is_version_1_on_bookinfos_port() {
        let expected = Config {
            host: "0.0.0.0".into(),
            port: 9080,
            version: "v1".into(),
            ratings_enabled: false,
            star_color: "black".into(),
            ratings_address: "http://ratings:9080".into(),
            podname: "null".into(),
            clustername: "null".into(),
            forwarding: true,
        };
        assert_eq!(config(&[]), Ok(expected));
    }

    #[test]
    fn the_services_domain_is_part_of_the_ratings_address() {
        let vars =
            [("SERVICES_DOMAIN", "shop.svc"), ("RATINGS_HOSTNAME", "stars"), ("RATINGS_SERVICE_PORT", "81")];
        assert_eq!(config(&vars).unwrap().ratings_address, "http://stars.shop.svc:81");
    }

    #[test]
    fn black_stars_wait_ten_seconds_and_others_two_and_a_half() {
        assert_eq!(config(&[]).unwrap().ratings_timeout(), Duration::from_secs(10));
        assert_eq!(config(&[("STAR_COLOR", "red")]).unwrap().ratings_timeout(), Duration::from_millis(2500));
    }

    #[test]
    fn a_port_that_is_none_is_named() {
        let message = "PORT is \"70000\", but has to be a number from 0 to 65535";
        assert_eq!(config(&[("PORT", "70000")]), Err(message.to_owned()));
    }
}

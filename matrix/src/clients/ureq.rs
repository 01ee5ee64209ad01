//! ureq's agent. It blocks, so each call has a thread of its own.

use std::net::SocketAddr;
use std::sync::Arc;

use ureq::Agent;
use ureq::config::{Config, ConfigBuilder};
use ureq::typestate::AgentScope;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use crate::call::{Answer, Call, LOOPBACK, caller_headers};

/// Every name is loopback.
#[derive(Debug)]
struct Loopback;

impl Resolver for Loopback {
    fn resolve(
        &self,
        uri: &http::Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        addresses.push(SocketAddr::new(LOOPBACK, uri.port_u16().unwrap_or(80)));
        Ok(addresses)
    }
}

struct Blocking(Agent);

pub(super) fn agent() -> Result<Arc<dyn Call>, String> {
    let make = |config: ConfigBuilder<AgentScope>| {
        Agent::with_parts(config.build(), DefaultConnector::default(), Loopback)
    };
    Ok(Arc::new(Blocking(onward::ureq::agent(make))))
}

impl Call for Blocking {
    fn get(&self, url: String) -> Answer {
        let agent = self.0.clone();
        let call = tokio::task::spawn_blocking(onward::carry_fn(move || {
            let mut request = agent.get(&url);
            for (name, value) in caller_headers(&url) {
                request = request.header(*name, *value);
            }
            let response = request.call().map_err(|error| error.to_string())?;
            response.into_body().read_to_string().map_err(|error| error.to_string())
        }));
        Box::pin(async move { call.await.map_err(|error| error.to_string())? })
    }
}

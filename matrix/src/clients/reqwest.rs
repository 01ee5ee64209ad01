//! reqwest: a wrapped client, and the method for single requests.

use std::net::SocketAddr;
use std::sync::Arc;

use onward::reqwest::RequestBuilderExt;
use reqwest_middleware::ClientWithMiddleware;

use crate::call::{Answer, Call, LOOPBACK, OUTSIDE, caller_headers};

pub(super) fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder().resolve(OUTSIDE, SocketAddr::new(LOOPBACK, 0))
}

struct Wrapped(ClientWithMiddleware);

pub(super) fn wrapped() -> Result<Arc<dyn Call>, String> {
    let client = onward::reqwest::client(builder()).map_err(|error| error.to_string())?;
    Ok(Arc::new(Wrapped(client)))
}

impl Call for Wrapped {
    fn get(&self, url: String) -> Answer {
        let mut request = self.0.get(&url);
        for (name, value) in caller_headers(&url) {
            request = request.header(*name, *value);
        }
        Box::pin(async move {
            let response = request.send().await.map_err(|error| format!("{error:?}"))?;
            response.text().await.map_err(|error| error.to_string())
        })
    }
}

struct Extension(reqwest::Client);

pub(super) fn extension() -> Result<Arc<dyn Call>, String> {
    let client = builder().redirect(onward::reqwest::redirect_policy()).build();
    Ok(Arc::new(Extension(client.map_err(|error| error.to_string())?)))
}

impl Call for Extension {
    fn get(&self, url: String) -> Answer {
        let mut request = self.0.get(&url);
        for (name, value) in caller_headers(&url) {
            request = request.header(*name, *value);
        }
        let request = request.forward_headers();
        Box::pin(async move {
            let response = request.send().await.map_err(|error| error.to_string())?;
            response.text().await.map_err(|error| error.to_string())
        })
    }
}

//! reqwest as a tower service, under the layer; tower-http follows the redirects.

use std::sync::Arc;

use onward::tower::InjectLayer;
use tower::{ServiceBuilder, ServiceExt};
use tower_http::follow_redirect::FollowRedirectLayer;

use super::hyper_util::{request, text};
use super::reqwest::builder;
use crate::call::{Answer, Call};

struct Layered(reqwest::Client);

pub(super) fn layered() -> Result<Arc<dyn Call>, String> {
    let client = builder().redirect(reqwest::redirect::Policy::none()).build();
    Ok(Arc::new(Layered(client.map_err(|error| error.to_string())?)))
}

impl Call for Layered {
    fn get(&self, url: String) -> Answer {
        let client = ServiceBuilder::new()
            .layer(FollowRedirectLayer::new())
            .map_response(http::Response::<reqwest::Body>::from)
            .layer(InjectLayer::new())
            .filter(|request: http::Request<reqwest::Body>| reqwest::Request::try_from(request))
            .service(self.0.clone());
        Box::pin(async move {
            let response = client.oneshot(request(&url)?).await.map_err(|error| error.to_string())?;
            text(response.into_body()).await
        })
    }
}

//! hyper-util's client, wrapped; tower-http follows the redirects.

use std::io;
use std::iter::{Once, once};
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioExecutor;
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;
use tower_http::follow_redirect::FollowRedirect;

use crate::call::{Answer, Call, LOOPBACK, caller_headers};

pub(super) type Connector = HttpConnector<BoxCloneSyncService<Name, Once<SocketAddr>, io::Error>>;
pub(super) type Client = legacy::Client<Connector, Empty<Bytes>>;

/// A client that resolves every name to loopback.
pub(super) fn client() -> Client {
    let resolver = tower::service_fn(|_: Name| async { Ok(once(SocketAddr::new(LOOPBACK, 0))) });
    let connector = HttpConnector::new_with_resolver(BoxCloneSyncService::new(resolver));
    legacy::Client::builder(TokioExecutor::new()).build(connector)
}

/// A GET request with what the caller sets on it.
pub(super) fn request<B: Default>(url: &str) -> Result<Request<B>, String> {
    let mut request = Request::get(url);
    for (name, value) in caller_headers(url) {
        request = request.header(*name, *value);
    }
    request.body(B::default()).map_err(|error| error.to_string())
}

/// The text of a body.
pub(super) async fn text<B>(body: B) -> Result<String, String>
where
    B: http_body::Body<Error: std::fmt::Display>,
{
    let bytes = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

struct Wrapped(FollowRedirect<onward::hyper_util::Client<Connector, Empty<Bytes>>>);

pub(super) fn wrapped() -> Result<Arc<dyn Call>, String> {
    Ok(Arc::new(Wrapped(FollowRedirect::new(onward::hyper_util::client(client())))))
}

impl Call for Wrapped {
    fn get(&self, url: String) -> Answer {
        let client = self.0.clone();
        Box::pin(async move {
            let response = client.oneshot(request(&url)?).await.map_err(|error| format!("{error:?}"))?;
            text(response.into_body()).await
        })
    }
}

//! `inject_to` on an `http::HeaderMap`, and a client that knows nothing of Onward.

use std::sync::Arc;

use onward::Destination;

use super::hyper_util::{Client, client, request, text};
use crate::call::{Answer, Call};

struct ByHand(Client);

pub(super) fn by_hand() -> Result<Arc<dyn Call>, String> {
    Ok(Arc::new(ByHand(client())))
}

impl Call for ByHand {
    fn get(&self, url: String) -> Answer {
        let client = self.0.clone();
        Box::pin(async move {
            let mut request = request(&url)?;
            onward::inject_to(&Destination::parse(&url), request.headers_mut());
            let response = client.request(request).await.map_err(|error| error.to_string())?;
            text(response.into_body()).await
        })
    }
}

//! awc, wrapped. Its futures stay on one thread, so each call has one of its own.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::call::{Answer, Call, LOOPBACK, caller_headers};

struct Awc;

pub(super) fn wrapped() -> Result<Arc<dyn Call>, String> {
    Ok(Arc::new(Awc))
}

impl Call for Awc {
    fn get(&self, url: String) -> Answer {
        let (done, answer) = oneshot::channel();
        std::thread::spawn(onward::carry_fn(move || {
            drop(done.send(actix_web::rt::System::new().block_on(get(&url))));
        }));
        Box::pin(async { answer.await.map_err(|error| error.to_string())? })
    }
}

async fn get(url: &str) -> Result<String, String> {
    let client = awc::Client::builder().wrap(onward::awc::Forward::new()).finish();
    let uri: http::Uri = url.parse().map_err(|error| format!("{error}"))?;
    let mut request = client.get(url).address(SocketAddr::new(LOOPBACK, uri.port_u16().unwrap_or(80)));
    for header in caller_headers(url) {
        request = request.insert_header(*header);
    }
    let body = request.send().await.map_err(|error| error.to_string())?.body().await;
    Ok(String::from_utf8_lossy(&body.map_err(|error| error.to_string())?).into_owned())
}

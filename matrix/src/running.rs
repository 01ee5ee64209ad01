//! A server while it runs, and how it is asked.

use std::net::SocketAddr;

use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::call::Answer;
use crate::inbound;

/// Sends the inbound request to a server. Servers that do not speak HTTP/1.1 have one of their own.
pub trait Ask: Send + Sync {
    /// Asks `/attribute`, `/middleware`, `/bare` or `/headers` to call the URL `to`, with the headers of
    /// [`inbound::lines`], and gives the answer's text.
    fn ask(&self, route: &'static str, to: String) -> Answer;
}

/// A server; it stops when this is dropped.
pub struct Running {
    address: SocketAddr,
    ask: Box<dyn Ask>,
    stop: Option<Box<dyn FnOnce() + Send>>,
}

impl Running {
    /// A server that speaks HTTP/1.1 and answers `/attribute?to=URL` and the others.
    pub fn http(address: SocketAddr, stop: impl FnOnce() + Send + 'static) -> Self {
        Self::new(address, Http { address }, stop)
    }

    /// Any other server.
    pub fn new(address: SocketAddr, ask: impl Ask + 'static, stop: impl FnOnce() + Send + 'static) -> Self {
        Self { address, ask: Box::new(ask), stop: Some(Box::new(stop)) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// See [`Ask::ask`].
    ///
    /// # Errors
    ///
    /// If the server cannot be reached or does not answer well.
    pub async fn ask(&self, route: &'static str, to: String) -> Result<String, String> {
        self.ask.ask(route, to).await
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop();
        }
    }
}

/// What stands behind the `?` of a request to a server.
pub fn query(to: &str) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair("to", to).finish()
}

struct Http {
    address: SocketAddr,
}

impl Ask for Http {
    fn ask(&self, route: &'static str, to: String) -> Answer {
        let address = self.address;
        Box::pin(async move { get(address, route, &to).await.map_err(|error| format!("asking: {error}")) })
    }
}

async fn get(
    address: SocketAddr,
    route: &str,
    to: &str,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let mut request = Request::get(format!("{route}?{}", query(to))).header("host", "matrix");
    for (name, value) in inbound::lines() {
        request = request.header(name, value.as_bytes());
    }
    let response = sender.send_request(request.body(Empty::<bytes::Bytes>::new())?).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    connection.abort();
    let text = String::from_utf8_lossy(&body).into_owned();
    if status == StatusCode::OK { Ok(text) } else { Err(format!("{status}: {text}").into()) }
}

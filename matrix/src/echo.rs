//! Where the calls arrive: notes the headers of each, answers in HTTP/1.1, HTTP/2 and gRPC, or sends the caller on.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::stream;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::StreamBody;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;

use crate::call::OUTSIDE;
use crate::inbound::Line;

/// The echo, as long as it is not dropped.
pub struct Echo {
    address: SocketAddr,
    seen: Arc<Seen>,
    next: AtomicU64,
    accepting: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Seen(Mutex<HashMap<String, Vec<Line>>>);

/// One call that is to arrive.
pub struct Visit {
    number: u64,
    port: u16,
}

impl Visit {
    /// The call's URL at a host name or address.
    pub fn url(&self, host: &str) -> String {
        format!("http://{host}:{}/echo/{}", self.port, self.number)
    }

    /// A URL in the mesh that redirects to [`Self::url`] outside of it.
    pub fn redirect(&self) -> String {
        format!("http://127.0.0.1:{}/away/{}", self.port, self.number)
    }

    /// What the echo answers with.
    pub fn answer(&self) -> String {
        format!("echo {}", self.number)
    }
}

impl Echo {
    /// Starts it on loopback.
    ///
    /// # Errors
    ///
    /// If no port is free.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let seen = Arc::<Seen>::default();
        let accepting = tokio::spawn(accept(listener, address.port(), seen.clone()));
        Ok(Self { address, seen, next: AtomicU64::new(1), accepting })
    }

    /// A new call.
    pub fn visit(&self) -> Visit {
        Visit { number: self.next.fetch_add(1, Ordering::Relaxed), port: self.address.port() }
    }

    /// The lines that arrived with this call, if it arrived.
    pub fn arrived(&self, visit: &Visit) -> Option<Vec<Line>> {
        self.seen.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&visit.number.to_string())
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, port: u16, seen: Arc<Seen>) {
    while let Ok((stream, _)) = listener.accept().await {
        let seen = seen.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let answer = answer(&request, port, &seen);
                async { Ok::<_, Infallible>(answer) }
            });
            // A client that hangs up ends its connection, and nothing else.
            let _ = auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

type Frames = StreamBody<stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>>>;

fn body(frames: Vec<Frame<Bytes>>) -> Frames {
    StreamBody::new(stream::iter(frames.into_iter().map(Ok).collect::<Vec<_>>()))
}

fn answer<B>(request: &Request<B>, port: u16, seen: &Seen) -> Response<Frames> {
    let mut response = Response::new(body(Vec::new()));
    match request.uri().path().split('/').collect::<Vec<_>>()[..] {
        ["", "echo", number] => {
            note(seen, number, request.headers());
            let text = format!("echo {number}");
            let grpc = request
                .headers()
                .get(CONTENT_TYPE)
                .filter(|value| value.as_bytes().starts_with(b"application/grpc"));
            match grpc {
                None => *response.body_mut() = body(vec![Frame::data(text.into())]),
                Some(content_type) => {
                    response.headers_mut().insert(CONTENT_TYPE, content_type.clone());
                    *response.body_mut() = body(vec![Frame::data(message(&text)), Frame::trailers(ok())]);
                }
            }
        }
        ["", "away", number] => {
            *response.status_mut() = StatusCode::FOUND;
            let location = HeaderValue::from_str(&format!("http://{OUTSIDE}:{port}/echo/{number}"));
            response.headers_mut().extend(location.ok().map(|location| (LOCATION, location)));
        }
        _ => *response.status_mut() = StatusCode::NOT_FOUND,
    }
    response
}

fn note(seen: &Seen, number: &str, headers: &HeaderMap) {
    let lines = headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    seen.0.lock().unwrap_or_else(PoisonError::into_inner).insert(number.to_owned(), lines);
}

/// A gRPC message with one field, a text: protobuf's `StringValue`.
fn message(text: &str) -> Bytes {
    let length = u8::try_from(text.len()).unwrap_or(u8::MAX).min(0x7f);
    let mut message = BytesMut::new();
    message.put_u8(0);
    message.put_u32(u32::from(length) + 2);
    message.put_slice(&[0x0a, length]);
    message.put_slice(&text.as_bytes()[..usize::from(length)]);
    message.freeze()
}

fn ok() -> HeaderMap {
    HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"))])
}

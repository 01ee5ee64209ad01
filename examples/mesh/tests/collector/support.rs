//! A collector on a free loopback port, the smallest HTTP client, and spans.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use onward_mesh::collector::span::{Kind, Span};
use onward_mesh::collector::{server, store::Store, trace::Trace};
use onward_mesh::viewer::Options;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) struct Collector {
    pub(crate) address: SocketAddr,
    pub(crate) store: Arc<Store>,
    stop: oneshot::Sender<()>,
    running: JoinHandle<std::io::Result<()>>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Collector {
    pub(crate) async fn start(max_spans: usize) -> Self {
        Self::start_settling(max_spans, Duration::ZERO).await
    }

    pub(crate) async fn start_settling(max_spans: usize, settle: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let store = Arc::new(Store::new(max_spans));
        let router = server::router(Arc::clone(&store), &Options { settle });
        let (stop, stopped) = oneshot::channel::<()>();
        let until = async { stopped.await.unwrap_or(()) };
        let running = tokio::spawn(server::serve_router(listener, router, until));
        Self { address, store, stop, running }
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.running.await.unwrap().unwrap();
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: collector\r\nconnection: close\r\n\r\n").into_bytes())
            .await
    }

    pub(crate) async fn get_json(&self, path: &str) -> serde_json::Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    pub(crate) async fn post(&self, body: &[u8]) -> Answer {
        self.post_as("content-type: application/json\r\n", body).await
    }

    pub(crate) async fn post_as(&self, headers: &str, body: &[u8]) -> Answer {
        self.send_with("POST /api/v2/spans", headers, body).await
    }

    /// `target` is a method and a path.
    pub(crate) async fn send_to(&self, target: &str, content_type: &str, body: &[u8]) -> Answer {
        self.send_with(target, &format!("content-type: {content_type}\r\n"), body).await
    }

    async fn send_with(&self, target: &str, headers: &str, body: &[u8]) -> Answer {
        let mut request = format!(
            "{target} HTTP/1.1\r\nhost: collector\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.send(request).await
    }

    async fn send(&self, request: Vec<u8>) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // The server may answer and close before it has read everything: that is its right.
        let _ = stream.write_all(&request).await;
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_lowercase(), body: body.to_owned() }
    }
}

/// A span; `at` and `takes` in microseconds, `parent` empty for a root.
pub(crate) fn span(
    trace: &str,
    id: &str,
    parent: &str,
    kind: Kind,
    service: &str,
    at: u64,
    takes: u64,
) -> Span {
    Span {
        trace_id: trace.into(),
        id: id.into(),
        parent_id: (!parent.is_empty()).then(|| parent.into()),
        kind: Some(kind),
        service: service.into(),
        name: format!("{service}:9080"),
        timestamp_us: at,
        duration_us: takes,
        ..Span::default()
    }
}

pub(crate) fn trace(spans: Vec<Span>) -> Trace {
    Trace { id: spans[0].trace_id.clone(), spans: spans.into_iter().map(Arc::new).collect() }
}

/// gateway -> productpage -> (details, reviews -> ratings), whole.
pub(crate) fn bookinfo(id: &str) -> Vec<Span> {
    use Kind::{Client, Server};
    vec![
        span(id, "01", "", Client, "gateway", 1_000, 400),
        span(id, "02", "01", Server, "productpage", 1_010, 380),
        span(id, "05", "02", Client, "productpage", 1_140, 220),
        span(id, "03", "02", Client, "productpage", 1_030, 80),
        span(id, "04", "03", Server, "details", 1_040, 60),
        span(id, "06", "05", Server, "reviews", 1_150, 200),
        span(id, "07", "06", Client, "reviews", 1_200, 90),
        span(id, "08", "07", Server, "ratings", 1_210, 70),
    ]
}

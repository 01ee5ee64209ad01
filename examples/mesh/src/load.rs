//! Sends requests through the gateway.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::task::JoinSet;

use crate::{app::App, error::MeshError, ready};

/// Longer than any service of the examples waits for another.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What became of one request.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Counts from 1.
    pub number: usize,
    /// The id that the gateway gave it; every span of the request carries it, if the services forward it.
    pub request_id: Option<String>,
    /// The HTTP status, or why there is none.
    pub status: Result<u16, String>,
}

impl Outcome {
    /// Whether it was answered with a 2xx status.
    pub fn succeeded(&self) -> bool {
        matches!(self.status, Ok(200..=299))
    }
}

/// Sends `requests` requests, `concurrency` at a time but the first one alone (so that there is a trace to look at
/// which nothing else ran beside), and returns their outcomes by number; `answered` is told how
/// many have been answered. `{n}` in a header's value stands for the request's number.
///
/// # Errors
///
/// [`MeshError::Client`] if no client can be built and [`MeshError::App`] if a header of the app is none. A request
/// that fails is an outcome and no error.
pub async fn drive(
    gateway: SocketAddr,
    app: &App,
    requests: usize,
    concurrency: usize,
    answered: impl Fn(usize) + Send + Sync + 'static,
) -> Result<Vec<Outcome>, MeshError> {
    let client = ready::client().map_err(|source| MeshError::Client { gateway, source })?;
    headers_of(&app.headers, 1)?;
    let driver = Arc::new(Driver {
        client,
        url: format!("http://{gateway}{}", app.path),
        headers: app.headers.clone(),
        requests,
        next: AtomicUsize::new(0),
        done: AtomicUsize::new(0),
        answered: Box::new(answered),
    });
    let mut outcomes: Vec<_> = driver.send_next().await.into_iter().collect();
    let mut workers = JoinSet::new();
    for _ in 0..concurrency.max(1).min(requests) {
        let driver = Arc::clone(&driver);
        workers.spawn(async move {
            let mut outcomes = Vec::new();
            while let Some(outcome) = driver.send_next().await {
                outcomes.push(outcome);
            }
            outcomes
        });
    }
    outcomes.extend(workers.join_all().await.into_iter().flatten());
    outcomes.sort_by_key(|outcome| outcome.number);
    Ok(outcomes)
}

struct Driver {
    client: reqwest::Client,
    url: String,
    headers: Vec<(String, String)>,
    requests: usize,
    next: AtomicUsize,
    done: AtomicUsize,
    answered: Box<dyn Fn(usize) + Send + Sync>,
}

impl Driver {
    /// Sends the next request; `None` if all were sent.
    async fn send_next(&self) -> Option<Outcome> {
        let number = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        if number > self.requests {
            return None;
        }
        // All headers were tried before the first request.
        let headers = headers_of(&self.headers, number).unwrap_or_default();
        let outcome = send(&self.client, &self.url, headers, number).await;
        (self.answered)(self.done.fetch_add(1, Ordering::Relaxed) + 1);
        Some(outcome)
    }
}

async fn send(client: &reqwest::Client, url: &str, headers: HeaderMap, number: usize) -> Outcome {
    let answer = async {
        let response = client.get(url).headers(headers).timeout(TIMEOUT).send().await?;
        let request_id =
            response.headers().get("x-request-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
        let status = response.status().as_u16();
        response.bytes().await?;
        Ok::<_, reqwest::Error>((request_id, status))
    };
    match answer.await {
        Ok((request_id, status)) => Outcome { number, request_id, status: Ok(status) },
        Err(error) => Outcome { number, request_id: None, status: Err(ready::reason(&error)) },
    }
}

fn headers_of(headers: &[(String, String)], number: usize) -> Result<HeaderMap, MeshError> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let value = value.replace("{n}", &number.to_string());
        let pair = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(&value).ok());
        let (name, value) = pair.ok_or_else(|| MeshError::App(format!("{name}: {value} is no header")))?;
        map.append(name, value);
    }
    Ok(map)
}

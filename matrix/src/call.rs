//! What a server's handler does: it calls by a client.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;

/// A future that gives a text, or says what went wrong.
pub type Answer = Pin<Box<dyn Future<Output = Result<String, String>> + Send>>;

/// A host name outside the mesh. Each client resolves it to loopback: what counts is the name that a request goes to,
/// not the address behind it.
pub const OUTSIDE: &str = "api.example.com";

/// What [`OUTSIDE`] resolves to. Clients that ask for a name rather than an address get this for every name.
pub const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A client, with what Onward offers for it.
///
/// A blocking client, or one whose futures are not `Send`, runs on a thread of its own through `onward::carry_fn`.
pub trait Call: Send + Sync {
    /// Sends a GET request and gives the answer's text. The client itself sets [`caller_headers`].
    ///
    /// A redirect that the client does not follow is an answer too.
    fn get(&self, url: String) -> Answer;

    /// The same for a handler that has its request's headers at hand, and a client that takes some of them along
    /// without Onward. The benchmarks have such clients.
    fn get_with(&self, url: String, _headers: Lookup<'_, '_>) -> Answer {
        self.get(url)
    }
}

/// Finds an inbound header by its name, as the framework does.
pub type Lookup<'l, 'a> = &'l (dyn Fn(&str) -> Option<&'a [u8]> + Sync);

/// The headers that the program itself sets on a request to this URL: usually none.
pub fn caller_headers(url: &str) -> &'static [(&'static str, &'static str)] {
    if url.contains("caller=wins") { &[("tracestate", "mine=1")] } else { &[] }
}

/// A handler's work, after its framework has taken the request apart. `query` is what stands behind `?`.
pub async fn answer(call: &dyn Call, query: &str) -> String {
    text(match to(query) {
        Some(to) => call.get(to).await,
        None => Err(NO_TO.to_owned()),
    })
}

/// The same, by [`Call::get_with`].
pub async fn answer_with(call: &dyn Call, query: &str, headers: Lookup<'_, '_>) -> String {
    text(match to(query) {
        Some(to) => call.get_with(to, headers).await,
        None => Err(NO_TO.to_owned()),
    })
}

const NO_TO: &str = "no `to` in the query";

fn to(query: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "to").map(|(_, to)| to.into_owned())
}

fn text(answer: Result<String, String>) -> String {
    answer.unwrap_or_else(|error| format!("error: {error}"))
}

/// A client and its name in the table.
#[derive(Clone, Copy)]
pub struct Client {
    /// As the table shows it.
    pub name: &'static str,
    /// Makes one; called inside a Tokio runtime.
    pub make: fn() -> Result<Arc<dyn Call>, String>,
    /// Whether a redirect out of the mesh is followed, with trace headers only. Otherwise nothing may arrive.
    pub follows: bool,
    /// What the client writes behind a `user-agent` that it is given, against everybody's wish; usually nothing.
    pub appends: &'static str,
}

impl Client {
    /// A client that follows redirects.
    pub const fn new(name: &'static str, make: fn() -> Result<Arc<dyn Call>, String>) -> Self {
        Self { name, make, follows: true, appends: "" }
    }

    /// The client gives a redirect that leads out of the mesh back to its caller.
    #[must_use]
    pub const fn stops_at_redirects(mut self) -> Self {
        self.follows = false;
        self
    }

    /// The client's library writes its own name behind a forwarded `user-agent`, and nobody can stop it.
    #[must_use]
    pub const fn appends_to_user_agent(mut self, text: &'static str) -> Self {
        self.appends = text;
        self
    }
}

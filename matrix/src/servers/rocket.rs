//! Rocket.

use std::net::SocketAddr;
use std::sync::Arc;

use rocket::fairing::AdHoc;
use rocket::http::HeaderMap;
use rocket::http::uri::Origin;
use rocket::request::{FromRequest, Outcome};
use rocket::{Config, Request, Route, State, get, routes};
use tokio::sync::oneshot;

use crate::call::{Call, answer, answer_with};
use crate::running::Running;

type App = Arc<dyn Call>;

fn query<'a>(uri: &'a Origin<'_>) -> &'a str {
    uri.query().map_or("", |query| query.as_str())
}

#[onward::propagate]
#[get("/attribute")]
async fn attribute(call: &State<App>, uri: &Origin<'_>) -> String {
    answer(&***call, query(uri)).await
}

/// A handler that waits for its call without being async.
#[onward::propagate]
#[get("/attribute")]
fn waiting(call: &State<App>, uri: &Origin<'_>) -> String {
    wait(call, uri)
}

#[get("/middleware")]
async fn middleware(call: &State<App>, uri: &Origin<'_>) -> String {
    answer(&***call, query(uri)).await
}

#[get("/middleware")]
fn waiting_middleware(call: &State<App>, uri: &Origin<'_>) -> String {
    wait(call, uri)
}

#[get("/bare")]
async fn bare(call: &State<App>, uri: &Origin<'_>) -> String {
    answer(&***call, query(uri)).await
}

/// All headers of the request: Rocket has no guard for them.
struct Inbound<'r>(&'r HeaderMap<'r>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Inbound<'r> {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        Outcome::Success(Self(request.headers()))
    }
}

#[get("/headers")]
async fn headers(call: &State<App>, uri: &Origin<'_>, inbound: Inbound<'_>) -> String {
    let lookup = |name: &str| inbound.0.get_one(name).map(str::as_bytes);
    answer_with(&***call, query(uri), &lookup).await
}

/// Waits on the worker's own thread, where the scope is. `block_in_place` hands the worker's other tasks over to another
/// thread: one of them may be the connection that this waits for.
fn wait(call: &State<App>, uri: &Origin<'_>) -> String {
    let runtime = tokio::runtime::Handle::current();
    tokio::task::block_in_place(|| runtime.block_on(answer(&***call, query(uri))))
}

pub(super) async fn start(call: App) -> Result<Running, String> {
    serve(call, routes![attribute], routes![middleware]).await
}

pub(super) async fn start_waiting(call: App) -> Result<Running, String> {
    serve(call, routes![waiting], routes![waiting_middleware]).await
}

async fn serve(call: App, attribute: Vec<Route>, middleware: Vec<Route>) -> Result<Running, String> {
    let config = Config::figment()
        .merge(("address", "127.0.0.1"))
        .merge(("port", 0))
        .merge(("log_level", "off"))
        .merge(("shutdown.ctrlc", false));
    let (started, starting) = oneshot::channel();
    let started = std::sync::Mutex::new(Some(started));
    let liftoff = AdHoc::on_liftoff("address", move |rocket| {
        let address = SocketAddr::new(rocket.config().address, rocket.config().port);
        if let Some(started) = started.lock().ok().and_then(|mut started| started.take()) {
            let _ = started.send(address);
        }
        Box::pin(async {})
    });
    let rocket = rocket::custom(config)
        .manage(call)
        .mount("/", attribute)
        .mount("/", onward::rocket::Forward::new().routes(middleware))
        .mount("/", routes![bare, headers])
        .attach(liftoff)
        .ignite()
        .await
        .map_err(|error| error.to_string())?;
    let shutdown = rocket.shutdown();
    let serving = tokio::spawn(rocket.launch());
    match starting.await {
        Ok(address) => Ok(Running::http(address, move || shutdown.notify())),
        Err(_) => match serving.await {
            Ok(Err(error)) => Err(error.to_string()),
            _ => Err("Rocket did not say where it listens".to_owned()),
        },
    }
}

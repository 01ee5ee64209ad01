//! poem.

use std::sync::Arc;

use poem::http::{HeaderMap, HeaderValue, Uri};
use poem::listener::TcpAcceptor;
use poem::web::Data;
use poem::{EndpointExt, Request, Route, Server, get, handler};

use crate::call::{Call, answer, answer_with};
use crate::running::Running;

type App = Arc<dyn Call>;

#[onward::propagate]
#[handler]
async fn attribute(Data(call): Data<&App>, uri: &Uri) -> String {
    answer(&**call, uri.query().unwrap_or_default()).await
}

#[handler]
#[onward::propagate]
async fn by_request(Data(call): Data<&App>, request: &Request) -> String {
    answer(&**call, request.uri().query().unwrap_or_default()).await
}

#[handler]
async fn plain(Data(call): Data<&App>, uri: &Uri) -> String {
    answer(&**call, uri.query().unwrap_or_default()).await
}

#[handler]
async fn headers(Data(call): Data<&App>, uri: &Uri, headers: &HeaderMap) -> String {
    let lookup = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    answer_with(&**call, uri.query().unwrap_or_default(), &lookup).await
}

pub(super) async fn start(call: App) -> Result<Running, String> {
    serve(call, Route::new().at("/attribute", get(attribute))).await
}

pub(super) async fn start_by_request(call: App) -> Result<Running, String> {
    serve(call, Route::new().at("/attribute", get(by_request))).await
}

async fn serve(call: App, route: Route) -> Result<Running, String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let acceptor = TcpAcceptor::from_tokio(listener).map_err(|error| error.to_string())?;
    let app = route
        .at("/middleware", get(plain).with(onward::poem::Forward::new()))
        .at("/bare", get(plain))
        .at("/headers", get(headers))
        .data(call);
    let serving = tokio::spawn(Server::new_with_acceptor(acceptor).run(app));
    Ok(Running::http(address, move || serving.abort()))
}

//! salvo.

use std::sync::Arc;

use onward::salvo::Forward;
use salvo::conn::tcp::TcpAcceptor;
use salvo::http::HeaderValue;
use salvo::prelude::*;

use super::serving::listen;
use crate::call::{Call, answer, answer_with};
use crate::running::Running;

#[derive(Clone)]
struct App(Arc<dyn Call>);

#[handler]
impl App {
    async fn handle(&self, request: &mut Request) -> String {
        answer(&*self.0, request.uri().query().unwrap_or_default()).await
    }
}

/// Gives its call the request's headers.
struct WithHeaders(App);

#[handler]
impl WithHeaders {
    async fn handle(&self, request: &mut Request) -> String {
        let lookup = |name: &str| request.headers().get(name).map(HeaderValue::as_bytes);
        answer_with(&*self.0.0, request.uri().query().unwrap_or_default(), &lookup).await
    }
}

/// Keeps the app and the query where [`attribute`] finds them.
struct Keep(App);

#[handler]
impl Keep {
    async fn handle(&self, request: &mut Request, depot: &mut Depot) {
        depot.insert("app", self.0.clone());
        depot.insert("query", request.uri().query().unwrap_or_default().to_owned());
    }
}

#[onward::propagate]
#[handler]
async fn attribute(depot: &mut Depot) -> String {
    match (depot.get::<App>("app"), depot.get::<String>("query")) {
        (Ok(App(call)), Ok(query)) => answer(&**call, query).await,
        _ => "error: nothing was kept".to_owned(),
    }
}

pub(super) async fn start(call: Arc<dyn Call>) -> Result<Running, String> {
    let (listener, address) = listen().await?;
    let app = App(call);
    let router = Router::new()
        .hoop(Keep(app.clone()))
        .push(Router::with_path("attribute").get(attribute))
        .push(Router::with_path("middleware").hoop(Forward::new()).get(app.clone()))
        .push(Router::with_path("headers").get(WithHeaders(app.clone())))
        .push(Router::with_path("bare").get(app));
    let acceptor = TcpAcceptor::try_from(listener).map_err(|error| error.to_string())?;
    let serving = tokio::spawn(Server::new(acceptor).serve(router));
    Ok(Running::http(address, move || serving.abort()))
}

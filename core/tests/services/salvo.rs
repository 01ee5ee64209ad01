//! salvo's routers and handlers.

use std::net::SocketAddr;

use onward::salvo::Forward;
use salvo::conn::tcp::TcpAcceptor;
use salvo::prelude::*;

use crate::support::{FORWARDED, ask, relay};

#[onward::propagate]
#[handler]
async fn attribute(request: &mut Request) -> String {
    relay(request.uri().query()).await
}

#[handler]
#[onward::propagate]
async fn attribute_below(request: &mut Request) -> String {
    relay(request.uri().query()).await
}

/// The attribute adds an extractor. The URL is what another handler has put into the depot.
#[onward::propagate]
#[handler]
async fn without_request(depot: &mut Depot) -> String {
    let query = depot.get::<String>("query").ok().cloned();
    relay(query.as_deref()).await
}

#[handler]
async fn keep_query(request: &mut Request, depot: &mut Depot) {
    depot.insert("query", request.uri().query().unwrap_or_default().to_owned());
}

struct Reviews;

#[handler]
impl Reviews {
    #[onward::propagate]
    async fn handle(&self, request: &mut Request) -> String {
        relay(request.uri().query()).await
    }
}

#[handler]
async fn plain(request: &mut Request) -> String {
    relay(request.uri().query()).await
}

async fn start() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new()
        .push(Router::with_path("attribute").get(attribute))
        .push(Router::with_path("below").get(attribute_below))
        .push(Router::with_path("extractor").hoop(keep_query).get(without_request))
        .push(Router::with_path("method").get(Reviews))
        .push(Router::with_path("covered").hoop(Forward::new()).get(plain))
        .push(Router::with_path("bare").get(plain));
    let acceptor = TcpAcceptor::try_from(listener).expect("an acceptor");
    tokio::spawn(Server::new(acceptor).serve(router));
    address
}

#[tokio::test]
async fn the_attribute_finds_the_headers_of_a_handler() {
    let address = start().await;
    for route in ["attribute", "below", "extractor", "method"] {
        assert_eq!(ask(address, route).await, FORWARDED, "{route}");
    }
    assert_eq!(ask(address, "bare").await, "");
}

#[tokio::test]
async fn a_hoop_covers_the_handlers_behind_it() {
    assert_eq!(ask(start().await, "covered").await, FORWARDED);
}

//! actix-web.

use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use actix_web::http::header::HeaderValue;
use actix_web::{App, HttpRequest, HttpServer, get, rt, web};
use tokio::sync::oneshot;

use crate::call::{Call, answer, answer_with};
use crate::running::Running;

type Client = web::Data<dyn Call>;
type Query = web::Query<Vec<(String, String)>>;

// Each handler holds an `Rc` while it waits: actix's handlers need not be `Send`.

#[get("/attribute")]
#[onward::propagate]
async fn attribute(call: Client, query: Query) -> String {
    let query = std::rc::Rc::new(to(&query));
    answer(&**call, &query).await
}

#[get("/attribute")]
#[onward::propagate]
async fn by_request(call: Client, request: HttpRequest) -> String {
    answer(&**call, request.query_string()).await
}

async fn plain(call: Client, query: Query) -> String {
    answer(&**call, &to(&query)).await
}

async fn headers(call: Client, query: Query, request: HttpRequest) -> String {
    let headers = request.headers();
    let lookup = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    answer_with(&**call, &to(&query), &lookup).await
}

/// The handler with an extractor only has the query in parts.
fn to(query: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish()
}

pub(super) async fn start(call: Arc<dyn Call>) -> Result<Running, String> {
    serve(call, |config| {
        config.service(attribute);
    })
    .await
}

pub(super) async fn start_by_request(call: Arc<dyn Call>) -> Result<Running, String> {
    serve(call, |config| {
        config.service(by_request);
    })
    .await
}

async fn serve(call: Arc<dyn Call>, service: fn(&mut web::ServiceConfig)) -> Result<Running, String> {
    let (started, starting) = oneshot::channel();
    std::thread::spawn(move || rt::System::new().block_on(run(call, service, started)));
    let (address, handle) = starting.await.map_err(|error| error.to_string())??;
    // Stopping begins when it is asked for; the future only waits for its end.
    Ok(Running::http(address, move || drop(handle.stop(false))))
}

type Started = oneshot::Sender<Result<(SocketAddr, ServerHandle), String>>;

async fn run(call: Arc<dyn Call>, service: fn(&mut web::ServiceConfig), started: Started) {
    let app = move || {
        App::new()
            .app_data(Client::from(Arc::clone(&call)))
            .configure(service)
            .service(
                web::scope("/middleware").wrap(onward::actix::Forward::new()).route("", web::get().to(plain)),
            )
            .route("/bare", web::get().to(plain))
            .route("/headers", web::get().to(headers))
    };
    let bound = HttpServer::new(app).workers(1).disable_signals().bind(("127.0.0.1", 0));
    match bound {
        Err(error) => drop(started.send(Err(error.to_string()))),
        Ok(bound) => {
            let address = bound.addrs()[0];
            let server = bound.run();
            drop(started.send(Ok((address, server.handle()))));
            // An error here is one of accepting: what is asked of the server then gets no answer.
            let _ = server.await;
        }
    }
}

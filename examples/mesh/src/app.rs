//! What a mesh runs, as data: services, how each starts, who calls whom.

use std::{collections::BTreeMap, ffi::OsString, fmt, future::Future, path::PathBuf, pin::Pin, sync::Arc};

pub use crate::collector::span::Direction;
use crate::error::MeshError;

/// The service name that the gateway's Envoy reports its spans under.
pub const GATEWAY: &str = "gateway";

/// An application: its services and the request that goes through the gateway.
#[derive(Clone, Debug)]
pub struct App {
    /// Short name, for example `bookinfo`; it is also the namespace in the sidecars' node ids.
    pub name: String,
    /// The service that the gateway routes to.
    pub entry: String,
    /// Path and query of one request, for example `/productpage`.
    pub path: String,
    /// Headers of one request, in order. The gateway adds `x-request-id` and the trace headers.
    pub headers: Vec<(String, String)>,
    /// Every service, in the order in which they are listed to the user.
    pub services: Vec<Service>,
}

/// One service with its own sidecar.
#[derive(Clone, Debug)]
pub struct Service {
    /// Name in spans and messages.
    pub name: String,
    /// Language, lower case: `rust`, `python`, `node`.
    pub language: String,
    /// How it comes to life.
    pub start: Start,
    /// What it speaks, to its sidecar and to the others.
    pub protocol: Protocol,
    /// Path that answers 2xx once the service works, asked directly and not through a sidecar.
    pub health: String,
    /// The upstreams that it can call, in the order in which a request calls them.
    pub calls: Vec<Call>,
}

/// What a service speaks; Istio takes it from the name of the service's port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    Http,
    /// gRPC, over HTTP/2.
    Grpc,
}

/// One upstream that a service calls through its sidecar.
#[derive(Clone, Debug)]
pub struct Call {
    /// Name of the service that is called.
    pub to: String,
    /// Environment variable that takes the host to call.
    pub host_env: String,
    /// Environment variable that takes the port to call.
    pub port_env: String,
    /// Whether the app's request makes this call; others are there for whoever explores the app.
    pub in_request: bool,
}

/// How a service is started.
#[derive(Clone)]
pub enum Start {
    /// As a process.
    Command(Launch),
    /// As a task of this process, for tests and probes.
    Task(TaskStart),
}

/// A command line and where it takes its port.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// Its arguments, without the port.
    pub args: Vec<OsString>,
    /// Environment on top of this process's own.
    pub env: Vec<(String, String)>,
    /// Directory to run in; this process's own if `None`.
    pub dir: Option<PathBuf>,
    /// Where the port goes.
    pub port: PortIn,
}

/// Where a process takes the port that it has to listen on.
#[derive(Clone, Debug)]
pub enum PortIn {
    /// As the last argument.
    LastArgument,
    /// In this environment variable.
    Env(String),
}

/// Environment that a service is started with: [`Call::host_env`] and [`Call::port_env`] of every call.
pub type Environment = BTreeMap<String, String>;

/// Starts a service as a task on a listener that is already bound.
pub type TaskStart = Arc<
    dyn Fn(tokio::net::TcpListener, Environment) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync,
>;

impl Start {
    /// A service that runs as a task of this process.
    pub fn task<F, Fut>(serve: F) -> Self
    where
        F: Fn(tokio::net::TcpListener, Environment) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        Self::Task(Arc::new(move |listener, env| Box::pin(serve(listener, env))))
    }
}

impl fmt::Debug for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(launch) => f.debug_tuple("Command").field(launch).finish(),
            Self::Task(_) => f.write_str("Task"),
        }
    }
}

impl Service {
    /// A service without calls that speaks HTTP/1.1 and whose health path is `/health`.
    pub fn new(name: &str, language: &str, start: Start) -> Self {
        Self {
            name: name.into(),
            language: language.into(),
            start,
            protocol: Protocol::Http,
            health: "/health".into(),
            calls: Vec::new(),
        }
    }

    /// Makes it a gRPC service. Its health path is still asked over HTTP/1.1.
    #[must_use]
    pub fn grpc(self) -> Self {
        Self { protocol: Protocol::Grpc, ..self }
    }

    /// Adds a call to `to` that every request makes. The service learns the address from `PREFIX_HOSTNAME` and
    /// `PREFIX_SERVICE_PORT`.
    #[must_use]
    pub fn calls(self, to: &str, prefix: &str) -> Self {
        self.with_call(to, prefix, true)
    }

    /// Adds an upstream that the app's request does not call.
    #[must_use]
    pub fn can_call(self, to: &str, prefix: &str) -> Self {
        self.with_call(to, prefix, false)
    }

    fn with_call(mut self, to: &str, prefix: &str, in_request: bool) -> Self {
        self.calls.push(Call {
            to: to.into(),
            host_env: format!("{prefix}_HOSTNAME"),
            port_env: format!("{prefix}_SERVICE_PORT"),
            in_request,
        });
        self
    }
}

/// How many spans of one side of one service's sidecar a whole request has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hops {
    /// The service.
    pub service: String,
    /// Into it or out of it.
    pub direction: Direction,
    /// How many spans.
    pub count: usize,
}

/// `ingress` or `egress`.
pub fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Ingress => "ingress",
        Direction::Egress => "egress",
    }
}

impl App {
    /// The service with this name.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name == name)
    }

    /// The spans that one whole request consists of, by service and side.
    ///
    /// The gateway counts once, as an egress: it runs without `spawn_upstream_span`, so that a trace starts with
    /// one row and not with two that say the same.
    ///
    /// # Errors
    ///
    /// [`MeshError::App`] if a call goes to a service that does not exist, or the calls form a circle.
    pub fn shape(&self) -> Result<Vec<Hops>, MeshError> {
        let mut shape = Vec::new();
        count(&mut shape, GATEWAY, Direction::Egress);
        self.visit(&self.entry, &mut Vec::new(), &mut shape)?;
        Ok(shape)
    }

    fn visit<'a>(
        &'a self,
        name: &'a str,
        path: &mut Vec<&'a str>,
        shape: &mut Vec<Hops>,
    ) -> Result<(), MeshError> {
        let service = self
            .service(name)
            .ok_or_else(|| MeshError::App(format!("{name:?} is called, but no service has that name")))?;
        if path.contains(&name) {
            return Err(MeshError::App(format!("the calls form a circle: {} -> {name}", path.join(" -> "))));
        }
        path.push(name);
        count(shape, name, Direction::Ingress);
        for call in service.calls.iter().filter(|call| call.in_request) {
            count(shape, name, Direction::Egress);
            self.visit(&call.to, path, shape)?;
        }
        path.pop();
        Ok(())
    }
}

fn count(shape: &mut Vec<Hops>, service: &str, direction: Direction) {
    match shape.iter_mut().find(|hops| hops.service == service && hops.direction == direction) {
        Some(hops) => hops.count += 1,
        None => shape.push(Hops { service: service.into(), direction, count: 1 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str) -> Service {
        Service::new(name, "rust", Start::task(|_, _| async {}))
    }

    fn app(services: Vec<Service>) -> App {
        App { name: "t".into(), entry: "front".into(), path: "/".into(), headers: vec![], services }
    }

    #[test]
    fn a_chain_of_two_services_has_four_spans() {
        let shape = app(vec![service("front").calls("back", "BACK"), service("back")]).shape().unwrap();
        let rows: Vec<_> =
            shape.iter().map(|h| format!("{} {} {}", h.service, word(h.direction), h.count)).collect();
        assert_eq!(rows, ["gateway egress 1", "front ingress 1", "front egress 1", "back ingress 1"]);
    }

    #[test]
    fn a_service_that_is_called_twice_counts_twice() {
        let shape = app(vec![service("front").calls("back", "A").calls("back", "B"), service("back")])
            .shape()
            .unwrap();
        assert!(shape.contains(&Hops { service: "back".into(), direction: Direction::Ingress, count: 2 }));
        assert_eq!(shape.iter().map(|hops| hops.count).sum::<usize>(), 6);
    }

    #[test]
    fn a_call_that_the_request_does_not_make_has_no_span() {
        let shape = app(vec![service("front").can_call("back", "BACK"), service("back")]).shape().unwrap();
        assert_eq!(shape.iter().map(|hops| hops.count).sum::<usize>(), 2);
    }

    #[test]
    fn a_call_to_nobody_is_an_error_that_names_it() {
        let error = app(vec![service("front").calls("nobody", "X")]).shape().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the app cannot run: \"nobody\" is called, but no service has that name"
        );
    }

    #[test]
    fn a_circle_of_calls_is_an_error() {
        let error = app(vec![service("front").calls("back", "X"), service("back").calls("front", "Y")])
            .shape()
            .unwrap_err();
        assert_eq!(error.to_string(), "the app cannot run: the calls form a circle: front -> back -> front");
    }
}

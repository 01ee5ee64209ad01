//! HTTP in front of gRPC: the gateway, reviews (axum), ratings (tonic).

use std::path::Path;

use crate::app::{App, Launch, PortIn, Service, Start};

/// The app; `program` is the built `grpc-example`, which is both services.
pub fn app(program: &Path) -> App {
    let start = |role: &str| {
        Start::Command(Launch {
            program: program.into(),
            args: vec![role.into()],
            env: Vec::new(),
            dir: None,
            port: PortIn::Env("PORT".into()),
        })
    };
    App {
        name: "grpc".into(),
        entry: "reviews".into(),
        path: "/reviews/0".into(),
        headers: vec![
            ("end-user".into(), "jason-{n}".into()),
            ("user-agent".into(), "onward-demo/{n}".into()),
        ],
        services: vec![
            Service::new("reviews", "rust", start("reviews")).calls("ratings", "RATINGS"),
            Service::new("ratings", "rust", start("ratings")).grpc(),
        ],
    }
}

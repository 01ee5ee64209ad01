//! Dockebi: the gateway, dockebi and dockebi-storage, three components in a chain.

use std::path::Path;

use crate::app::{App, Launch, PortIn, Service, Start};

/// The app; `program` is the built `dockebi`, which is both services.
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
        name: "dockebi".into(),
        entry: "dockebi".into(),
        path: "/".into(),
        headers: vec![
            ("end-user".into(), "dockebi-{n}".into()),
            ("user-agent".into(), "onward-demo/{n}".into()),
        ],
        services: vec![
            Service::new("dockebi", "rust", start("dockebi")).calls("dockebi-storage", "STORAGE"),
            Service::new("dockebi-storage", "rust", start("storage")),
        ],
    }
}

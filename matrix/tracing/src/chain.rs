//! The app of a cell: gateway, services under test one behind the other, and a leaf that writes down what it receives.

use std::{
    env,
    error::Error,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use axum::{Router, extract::State, http::HeaderMap, routing::get};
use onward_mesh::{
    app::{App, Launch, PortIn, Service, Start},
    ports::Ports,
    runner::Options,
};
use tokio::net::TcpListener;

/// What a service is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// axum and reqwest, `#[onward::propagate]`.
    Rust,
    /// Flask and requests under `onward-run`.
    Python,
    /// node:http and fetch under `onward/register`.
    Node,
}

impl Language {
    /// Every one, in the order of the chain.
    pub const ALL: [Self; 3] = [Self::Rust, Self::Python, Self::Node];

    /// The name of its service, under which the service's sidecar reports.
    pub const fn service(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::Node => "node",
        }
    }

    /// The name under which the service itself reports.
    pub fn own_service(self) -> String {
        format!("{}-app", self.service())
    }
}

/// An OpenTelemetry SDK in each service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sdk {
    /// It reads what the sidecars write, but for `sw8`.
    Reading,
    /// It reads `traceparent` alone, and begins a trace of its own where that is not what the sidecars write.
    TraceparentAlone,
}

/// What the leaf has received.
pub type Seen = Arc<Mutex<Vec<HeaderMap>>>;

/// The programs that the services are started with.
#[derive(Debug)]
pub struct Programs {
    folder: PathBuf,
    python: PathBuf,
    node: PathBuf,
    own: PathBuf,
}

impl Programs {
    /// Those that `cargo xtask matrix tracing` names in the environment.
    ///
    /// # Errors
    ///
    /// When a variable is missing.
    pub fn from_env() -> Result<Self, Box<dyn Error>> {
        let named = |name: &str| {
            let path = env::var_os(name).map(PathBuf::from);
            path.ok_or_else(|| format!("{name} is not set: run `cargo xtask matrix tracing`"))
        };
        Ok(Self {
            folder: env!("CARGO_MANIFEST_DIR").into(),
            python: named("ONWARD_DEMO_PYTHON")?,
            node: named("ONWARD_DEMO_NODE")?,
            own: env::current_exe()?,
        })
    }

    /// The app of these languages. With an SDK each service makes spans, which go to the mesh's own collector.
    ///
    /// # Errors
    ///
    /// When there is no free port for the collector.
    pub fn app(
        &self,
        languages: &[Language],
        sdk: Option<Sdk>,
        options: &mut Options,
        seen: &Seen,
    ) -> Result<App, Box<dyn Error>> {
        let mut ports = Ports::default();
        let collector = ports.choose()?;
        ports.release();
        options.viewer_port = Some(collector);
        let nexts = languages.iter().skip(1).map(|language| language.service()).chain(["leaf"]);
        let mut services: Vec<_> = languages
            .iter()
            .zip(nexts)
            .map(|(language, next)| {
                let mut launch = self.launch(*language, options.forwarding);
                if let Some(sdk) = sdk {
                    launch.env.extend(variables(*language, sdk, collector));
                }
                Service::new(language.service(), language.service(), Start::Command(launch))
                    .calls(next, "NEXT")
            })
            .collect();
        let seen = Arc::clone(seen);
        services.push(Service::new(
            "leaf",
            "rust",
            Start::task(move |listener, _| leaf(listener, Arc::clone(&seen))),
        ));
        Ok(App {
            name: "tracing".into(),
            entry: services[0].name.clone(),
            path: "/page".into(),
            headers: Vec::new(),
            services,
        })
    }

    fn launch(&self, language: Language, forwarding: bool) -> Launch {
        let (program, args): (&Path, Vec<&Path>) = match (language, forwarding) {
            (Language::Rust, _) => (&self.own, vec![Path::new("front")]),
            (Language::Python, true) => (
                &self.python,
                vec![Path::new("-m"), Path::new("onward"), &self.python, Path::new("front.py")],
            ),
            (Language::Python, false) => (&self.python, vec![Path::new("front.py")]),
            (Language::Node, true) => {
                (&self.node, ["--require", "onward/register", "front.js"].map(Path::new).to_vec())
            }
            (Language::Node, false) => (&self.node, vec![Path::new("front.js")]),
        };
        Launch {
            program: program.into(),
            args: args.into_iter().map(Into::into).collect(),
            // `ot-tracer-*` is in no other; the runner has its own for X-Ray.
            env: vec![("ONWARD_PRESETS".into(), "istio,lightstep".into())],
            dir: Some(self.folder.clone()),
            port: PortIn::Env("PORT".into()),
        }
    }
}

/// The variables by which OpenTelemetry's SDKs are set up.
fn variables(language: Language, sdk: Sdk, collector: u16) -> [(String, String); 5] {
    let propagators = match sdk {
        Sdk::Reading => "tracecontext,b3,xray",
        Sdk::TraceparentAlone => "tracecontext",
    };
    [
        ("OTEL_SERVICE_NAME", language.own_service()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{collector}")),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf".into()),
        ("OTEL_BSP_SCHEDULE_DELAY", "100".into()),
        ("OTEL_PROPAGATORS", propagators.into()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
}

async fn leaf(listener: TcpListener, seen: Seen) {
    let note = |State(seen): State<Seen>, headers: HeaderMap| async move {
        seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(headers);
        "leaf"
    };
    let app = Router::new().route("/health", get(|| async {})).route("/page", get(note)).with_state(seen);
    // It ends only with the mesh.
    let _ = axum::serve(listener, app).await;
}

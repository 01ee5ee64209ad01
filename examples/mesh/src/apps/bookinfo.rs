//! Bookinfo: productpage (Python) calls details (Node) and reviews (Rust), reviews calls ratings (Node).

use std::{ffi::OsStr, path::Path};

use crate::app::{App, Launch, PortIn, Service, Start};

/// The forms of the services in Python and Node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// They ask Onward for the headers by themselves.
    Explicit,
    /// No line of them knows Onward: `onward-run` and `onward/register` start them.
    Unchanged,
    /// The same programs without Onward.
    Alone,
}

/// What the services are started with.
#[derive(Clone, Copy, Debug)]
pub struct Tools<'a> {
    /// The folder that holds the repository's `examples`.
    pub root: &'a Path,
    /// The Python of the demo's virtual environment.
    pub python: &'a Path,
    /// Node.
    pub node: &'a Path,
    /// The built program `bookinfo-reviews`.
    pub reviews: &'a Path,
    /// How the services in Python and Node forward.
    pub form: Form,
}

/// The app, with reviews in its third version (red stars).
pub fn app(tools: &Tools<'_>) -> App {
    let dir = |service: &str| tools.root.join("examples/bookinfo").join(service);
    let launch = |program: &Path, service: &str, args: &[&OsStr]| Launch {
        program: program.into(),
        args: args.iter().map(Into::into).collect(),
        env: Vec::new(),
        dir: Some(dir(service)),
        port: PortIn::LastArgument,
    };
    let script = |program: &Path, service: &str, file: &str| {
        Start::Command(launch(program, service, &[file.as_ref()]))
    };
    let registered = |service: &str, file: &str| {
        let args = ["--import", "onward/register", file].map(AsRef::as_ref);
        Start::Command(launch(tools.node, service, &args))
    };
    let version_3 = [("ENABLE_RATINGS", "true"), ("STAR_COLOR", "red"), ("SERVICE_VERSION", "v3")];
    let reviews = Start::Command(Launch {
        program: tools.reviews.into(),
        args: Vec::new(),
        env: version_3.map(|(name, value)| (name.into(), value.into())).to_vec(),
        dir: None,
        port: PortIn::Env("PORT".into()),
    });
    let productpage = match tools.form {
        Form::Explicit => script(tools.python, "productpage", "explicit.py"),
        Form::Alone => script(tools.python, "productpage", "productpage.py"),
        Form::Unchanged => {
            let program = tools.python.as_os_str();
            let command = ["-m".as_ref(), "onward".as_ref(), program, "productpage.py".as_ref()];
            // Who the user is says the session, and productpage sends that by itself.
            let env = vec![("ONWARD_HEADERS".to_owned(), "-end-user".to_owned())];
            Start::Command(Launch { env, ..launch(tools.python, "productpage", &command) })
        }
    };
    let details = match tools.form {
        Form::Explicit => script(tools.node, "details", "explicit.js"),
        Form::Alone => script(tools.node, "details", "details.js"),
        Form::Unchanged => registered("details", "details.js"),
    };
    // A leaf has nothing to ask Onward for.
    let ratings = match tools.form {
        Form::Explicit | Form::Alone => script(tools.node, "ratings", "ratings.js"),
        Form::Unchanged => registered("ratings", "ratings.js"),
    };
    App {
        name: "bookinfo".into(),
        entry: "productpage".into(),
        path: "/productpage?u=normal".into(),
        headers: headers(),
        services: vec![
            Service::new("productpage", "python", productpage)
                .calls("details", "DETAILS")
                .calls("reviews", "REVIEWS")
                // Only `/api/v1/products/0/ratings` asks them directly.
                .can_call("ratings", "RATINGS"),
            Service::new("details", "node", details),
            Service::new("reviews", "rust", reviews).calls("ratings", "RATINGS"),
            Service::new("ratings", "node", ratings),
        ],
    }
}

/// What a client of Bookinfo sends: the names of its header lists but those that the gateway's tracer writes
/// itself (`x-request-id` and `x-b3-*`: a client's own would make the gateway the child of a span that nobody reports).
/// `{n}` is the number of the request.
pub fn headers() -> Vec<(String, String)> {
    let trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let session = "eyJ1c2VyIjoiamFzb24ifQ.demo-{n}";
    [
        ("x-ot-span-context", "demo;{n}".to_owned()),
        ("x-datadog-trace-id", "11803532876627986230".into()),
        ("x-datadog-parent-id", "67667974448284343".into()),
        ("x-datadog-sampling-priority", "1".into()),
        ("traceparent", format!("00-{trace_id}-00f067aa0ba902b7-01")),
        ("tracestate", "rojo=00f067aa0ba902b7,demo={n}".into()),
        ("x-cloud-trace-context", format!("{trace_id}/67667974448284343;o=1")),
        ("grpc-trace-bin", "AABL+S81d7NNpqPOkp0ADkc2ATTwZ6oLqQK3AgE".into()),
        ("sw8", "1-ZGVtbw==-ZGVtbw==-0-ZGVtbw==-ZGVtbw==-L3Byb2R1Y3RwYWdl-ZGVtbw==".into()),
        ("end-user", "jason-{n}".into()),
        ("user-agent", "onward-demo/{n}".into()),
        ("cookie", format!("session={session}")),
        ("authorization", "Bearer demo-{n}".into()),
        ("jwt", "demo-{n}".into()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

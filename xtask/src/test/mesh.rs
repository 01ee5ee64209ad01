//! The mesh with real Envoys, and the two commands that show it.

use std::{collections::BTreeMap, env, path::PathBuf};

use anyhow::{Context, Result, ensure};
use onward_mesh::{apps::bookinfo::Form, backend::Kind, tracer::Tracer};
use serde_json::Value;

use super::{
    session::{Ended, Session},
    tally::{Runner, Tally},
};

/// What `cargo xtask demo --json` prints as its last line.
#[derive(Clone, Debug)]
struct Summary {
    requests: u64,
    traces: u64,
    spans: u64,
    broken: u64,
    languages: Vec<String>,
}

/// One run of the demo.
pub(super) struct Demo {
    app: &'static str,
    tracer: Tracer,
    backend: Option<Kind>,
    requests: u64,
    concurrency: u64,
    /// The languages of its services, each once, in alphabetical order.
    languages: &'static [&'static str],
    /// Spans of one request.
    spans: u64,
}

const fn bookinfo(tracer: Tracer) -> Demo {
    let languages = &["node", "python", "rust"];
    let spans = 8 * tracer.spans_per_hop() as u64;
    Demo { app: "bookinfo", tracer, backend: None, requests: 200, concurrency: 16, languages, spans }
}

const DEMOS: [Demo; 10] = [
    bookinfo(Tracer::Zipkin),
    bookinfo(Tracer::ZipkinW3c),
    bookinfo(Tracer::OpenTelemetry),
    bookinfo(Tracer::OpenTelemetryGrpc),
    bookinfo(Tracer::Datadog),
    bookinfo(Tracer::SkyWalking),
    bookinfo(Tracer::XRay),
    Demo { app: "bookinfo-run", requests: 50, concurrency: 8, ..bookinfo(Tracer::Zipkin) },
    Demo {
        app: "dockebi",
        tracer: Tracer::Zipkin,
        backend: None,
        requests: 50,
        concurrency: 8,
        languages: &["rust"],
        spans: 4,
    },
    Demo {
        app: "grpc",
        tracer: Tracer::Zipkin,
        backend: None,
        requests: 50,
        concurrency: 8,
        languages: &["rust"],
        spans: 4,
    },
];

/// What the matrix of tracers prints as its last line.
const ALL_CELLS: &str = r#"{"cells":54,"passed":54,"failed":0,"empty":0}"#;

pub(super) fn run(session: &mut Session) -> Result<()> {
    let setup = session.setup()?;
    setup.bookinfo(Form::Explicit)?;
    setup.dockebi()?;
    setup.grpc()?;
    let agent = crate::setup::root()?.join("examples/mesh/tests/tracers/requirements.txt");
    let tools = [
        ("ONWARD_ENVOY", setup.envoy()?),
        ("ONWARD_DEMO_PYTHON", setup.venv()?),
        ("ONWARD_DEMO_NODE", setup.node()?.path.clone()),
        ("ONWARD_DEMO_REVIEWS", setup.rust_program("bookinfo-reviews")?),
        ("ONWARD_DATADOG_AGENT", setup.python_apart(&agent)?),
    ];
    let mut matrix = session.command(setup.rust_program("onward-matrix-tracing")?, "");
    let tracing = setup.tracing()?;
    matrix.arg("--json").envs(tracing.clone());
    drop(setup);

    let mut command = session.cargo();
    command.args(["test", "--no-fail-fast", "--package", "onward-mesh", "--package", "xtask"]);
    command.args(["--", "--include-ignored"]).envs(tools);
    session.tests("the runner, its tests with real Envoys, and xtask", Runner::Cargo, command)?;

    DEMOS.iter().try_for_each(|demo| run_both(session, demo))?;

    // That the table in the documentation is the one of such a run is a test of the program.
    session.judge("every tracer with every language, beside OpenTelemetry too", matrix, |ended| {
        let passed = ended.last_line() == ALL_CELLS;
        match ended.problem().or_else(|| (!passed).then(|| "not every cell has passed".into())) {
            None => (Tally::passed(54), None),
            problem => (Tally::failure(), problem),
        }
    })?;

    let mut command = session.cargo();
    command.args(["test", "--package", "onward-matrix-tracing", "--", "--ignored"]).envs(tracing);
    session.tests("beside OpenTelemetry's own instrumentation, in either order", Runner::Cargo, command)?;
    Ok(())
}

/// The demo, whose traces must be whole, and its control.
pub(super) fn run_both(session: &mut Session, demo: &Demo) -> Result<()> {
    let Demo { app, tracer, requests, .. } = demo;
    let at = demo.backend.map(|backend| format!(", {backend}")).unwrap_or_default();
    let whole = format!("{app}, {tracer}{at}: {requests} requests are {requests} whole traces");
    run_demo(session, demo, &whole, true, |summary| demo.whole(summary))?;
    let control = demo.control();
    let broken = format!("{app}, {tracer}{at}: traces break with Onward switched off, and the check says so");
    run_demo(session, &control, &broken, false, |summary| control.broken(summary))
}

fn run_demo(
    session: &mut Session,
    demo: &Demo,
    what: &str,
    forwarding: bool,
    judge: impl Fn(&Summary) -> Result<()>,
) -> Result<()> {
    // Cargo may have put a new one in its place, which is as good.
    let own = env::current_exe().context("cannot tell where this program is")?;
    let own = PathBuf::from(own.to_string_lossy().trim_end_matches(" (deleted)"));
    let mut command = session.command(own, "");
    command.args(["demo", "--once", "--json", "--app", demo.app, "--tracer", demo.tracer.name()]);
    command.args(["--requests", &demo.requests.to_string(), "--concurrency", &demo.concurrency.to_string()]);
    if let Some(backend) = demo.backend {
        command.args(["--backend", backend.name()]);
    }
    if !forwarding {
        command.arg("--no-forwarding");
    }
    session.judge(what, command, |ended| match problem(ended, &judge) {
        None => (Tally::passed(1), None),
        problem => (Tally::failure(), problem),
    })?;
    Ok(())
}

fn problem(ended: &Ended, judge: impl Fn(&Summary) -> Result<()>) -> Option<String> {
    let judged = || judge(&Summary::read(ended.last_line())?);
    ended.problem().or_else(|| judged().err().map(|error| format!("{error:#}")))
}

impl Demo {
    /// Bookinfo with a real backend.
    pub(super) const fn with_backend(kind: Kind) -> Self {
        Self { backend: Some(kind), ..bookinfo(kind.usual_tracer()) }
    }

    /// The same with fewer requests: each of them is broken.
    const fn control(&self) -> Self {
        Self { requests: 20, concurrency: 4, ..*self }
    }

    fn whole(&self, summary: &Summary) -> Result<()> {
        ensure!(
            summary.requests == self.requests,
            "{} requests instead of {}",
            summary.requests,
            self.requests
        );
        ensure!(summary.traces == self.requests, "{} traces instead of {}", summary.traces, self.requests);
        ensure!(summary.broken == 0, "{} requests are broken", summary.broken);
        ensure!(summary.spans == self.requests * self.spans, "{} spans", summary.spans);
        ensure!(summary.languages == self.languages, "the services are in {:?}", summary.languages);
        Ok(())
    }

    /// The control: with forwarding off, the check above must fail.
    fn broken(&self, summary: &Summary) -> Result<()> {
        ensure!(
            summary.requests == self.requests,
            "{} requests instead of {}",
            summary.requests,
            self.requests
        );
        ensure!(summary.broken > 0, "no request is broken");
        ensure!(self.whole(summary).is_err(), "the check for whole traces passes: {summary:?}");
        Ok(())
    }
}

impl Summary {
    fn read(line: &str) -> Result<Self> {
        let json: Value =
            serde_json::from_str(line).with_context(|| format!("the last line is no JSON: {line:?}"))?;
        let number = |key: &str| json[key].as_u64().with_context(|| format!("no number {key:?} in {line}"));
        let services: BTreeMap<String, String> = serde_json::from_value(json["services"].clone())
            .with_context(|| format!("no services in {line}"))?;
        let mut languages: Vec<_> = services.into_values().collect();
        languages.sort_unstable();
        languages.dedup();
        Ok(Self {
            requests: number("requests")?,
            traces: number("traces")?,
            spans: number("spans")?,
            broken: number("broken")?,
            languages,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"{"requests":50,"traces":50,"spans":200,"broken":0,"services":{"dockebi":"rust","dockebi-storage":"rust"}}"#;

    fn judged(from: &str, to: &str) -> (bool, bool) {
        let summary = Summary::read(&WHOLE.replace(from, to)).unwrap();
        (DEMOS[8].whole(&summary).is_ok(), DEMOS[8].broken(&summary).is_ok())
    }

    #[test]
    fn a_run_is_whole_only_if_every_number_is_right() {
        assert_eq!(judged("", ""), (true, false));
        assert_eq!(judged(r#""broken":0"#, r#""broken":1"#), (false, true));
        assert_eq!(judged(r#""traces":50"#, r#""traces":51"#), (false, false));
        assert_eq!(judged(r#""requests":50"#, r#""requests":49"#), (false, false));
        assert_eq!(judged(r#""spans":200"#, r#""spans":199"#), (false, false));
        assert_eq!(judged("rust", "python"), (false, false));
    }

    #[test]
    fn a_last_line_that_is_no_summary_is_shown() {
        let error = Summary::read("error: it died").unwrap_err().to_string();
        assert_eq!(error, "the last line is no JSON: \"error: it died\"");
    }
}

//! `cargo xtask demo`: an app behind real Envoys, requests through the gateway, and what became of their traces.

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use clap::{
    ValueEnum,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};
use onward_mesh::{
    MeshError,
    analysis::Report,
    app::App,
    apps::bookinfo::Form,
    backend::Kind,
    measure::{Load, measure, spans_per_request},
    progress::Progress,
    runner::{Mesh, Options},
    terminal,
    tracer::Tracer,
};

use crate::{
    setup::Setup,
    stop::{INTERRUPTED, Stop},
};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// What to run
    #[arg(long, value_enum, default_value_t = AppName::Bookinfo)]
    app: AppName,
    /// The tracer of the Envoys [default: zipkin; with the backend jaeger: opentelemetry]
    #[arg(long, value_name = "TRACER", value_parser = tracer())]
    tracer: Option<Tracer>,
    /// A real backend for the Envoys to report to, in place of the embedded collector
    #[arg(long, value_name = "BACKEND", value_parser = backend())]
    backend: Option<Kind>,
    /// End when the requests are done, instead of keeping the mesh and the viewer until Ctrl-C
    #[arg(long)]
    once: bool,
    /// Print one line of JSON on standard output and everything else on standard error
    #[arg(long)]
    json: bool,
    /// Switch Onward off in the services: the traces must come out broken
    #[arg(long)]
    no_forwarding: bool,
    /// How many requests to send
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = at_least_one)]
    requests: usize,
    /// How many requests to send at the same time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = at_least_one)]
    concurrency: usize,
    /// The port to send requests to [default: a free one]
    #[arg(long, value_name = "PORT")]
    gateway_port: Option<u16>,
    /// The port of the trace viewer [default: a free one]
    #[arg(long, value_name = "PORT")]
    viewer_port: Option<u16>,
}

#[derive(Clone, Copy, ValueEnum)]
enum AppName {
    /// Productpage (Python), details (Node), reviews (Rust), ratings (Node)
    Bookinfo,
    /// The same, without a line of Onward in Python and Node: under `onward-run` and `onward/register`
    BookinfoRun,
    /// Dockebi and its storage (Rust)
    Dockebi,
    /// Reviews over HTTP, with axum, in front of ratings over gRPC, with tonic (Rust)
    Grpc,
}

/// The names, each with its line in `--help`.
fn tracer() -> impl TypedValueParser<Value = Tracer> {
    let value = |tracer: Tracer| PossibleValue::new(tracer.name()).help(tracer.summary());
    PossibleValuesParser::new(Tracer::ALL.map(value)).try_map(|name| name.parse::<Tracer>())
}

/// The names, each with its line in `--help`.
fn backend() -> impl TypedValueParser<Value = Kind> {
    let value = |kind: Kind| PossibleValue::new(kind.name()).help(kind.summary());
    let named = |name: String| {
        Kind::ALL.into_iter().find(|kind| kind.name() == name).ok_or("there is no such backend")
    };
    PossibleValuesParser::new(Kind::ALL.map(value)).try_map(named)
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".into()),
        Ok(number) => Ok(number),
        Err(_) => Err("must be a whole number".into()),
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let progress = Progress::new();
    let tracer = args.tracer.unwrap_or_else(|| args.backend.map_or_else(Tracer::default, Kind::usual_tracer));
    if let Some(kind) = args.backend {
        kind.check(tracer)?;
        Setup::can_have(kind)?;
    }
    let setup = Setup::new(progress)?;
    let backend = args.backend.map(|kind| setup.backend(kind)).transpose()?;
    let app = match args.app {
        AppName::Bookinfo => setup.bookinfo(Form::Explicit)?,
        AppName::BookinfoRun if args.no_forwarding => setup.bookinfo(Form::Alone)?,
        AppName::BookinfoRun => setup.bookinfo(Form::Unchanged)?,
        AppName::Dockebi => setup.dockebi()?,
        AppName::Grpc => setup.grpc()?,
    };
    let mut options = Options {
        gateway_port: args.gateway_port,
        viewer_port: args.viewer_port,
        tracer: Some(tracer),
        backend,
        forwarding: !args.no_forwarding,
        ..Options::new(setup.envoy()?)
    };
    options.max_spans = room_for(args.requests, &app, &options)?;
    // Another demo may be set up while this one runs.
    drop(setup);
    let runtime = tokio::runtime::Runtime::new().context("cannot start the async runtime")?;
    runtime.block_on(show(args, &app, &options, progress))
}

async fn show(args: &Args, app: &App, options: &Options, progress: Progress) -> Result<ExitCode> {
    let mut stop = Stop::new()?;
    let load = Load { requests: args.requests, concurrency: args.concurrency };
    let (mut mesh, report) = tokio::select! {
        measured = measure(app, options, load, progress) => measured?,
        () = stop.asked() => return Ok(ExitCode::from(INTERRUPTED)),
    };
    let text = describe(&report);
    if args.json {
        anstream::eprint!("{text}");
        println!("{}", serde_json::to_string(&report.summary())?);
    } else {
        anstream::print!("{text}");
    }
    if !args.once {
        anstream::eprintln!("\ntraces:   http://{}/", mesh.viewer());
        if let Some(site) = mesh.backend() {
            anstream::eprintln!("{:<9} {}", format!("{}:", site.kind()), site.url());
        }
        anstream::eprintln!("requests: http://{}{}", mesh.gateway(), app.path);
        anstream::eprintln!("Ctrl-C ends the mesh");
        tokio::select! {
            error = watch(&mut mesh) => return Err(error.into()),
            () = stop.asked() => {}
        }
    }
    mesh.stop();
    Ok(verdict(args, &report))
}

/// Returns only when a process of the mesh has died, or its backend does not answer.
async fn watch(mesh: &mut Mesh) -> MeshError {
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        if let Err(error) = mesh.check() {
            return error;
        }
        if let Err(error) = mesh.fetch().await {
            return error;
        }
    }
}

fn describe(report: &Report) -> String {
    let width = terminal::width();
    let shown = report.examples();
    let mut text = String::from("\n");
    for judged in &shown {
        text.push_str(&terminal::tree(judged, width));
        text.push('\n');
    }
    text.push_str(&terminal::summary(report, shown.len()));
    text
}

fn verdict(args: &Args, report: &Report) -> ExitCode {
    let as_expected = if args.no_forwarding { report.broken().next().is_some() } else { report.is_whole() };
    if as_expected { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Twice what the requests make: what a user sends while the mesh stays up fits in too.
fn room_for(requests: usize, app: &App, options: &Options) -> Result<usize, MeshError> {
    Ok((2 * requests * spans_per_request(app, options)?).max(100_000))
}

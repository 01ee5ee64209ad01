//! `cargo xtask demo`: an app behind real Envoys, requests through the gateway, and what became of their traces.

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use clap::ValueEnum;
use onward_mesh::{
    MeshError,
    analysis::{Report, analyse},
    app::App,
    apps::bookinfo::Form,
    load,
    progress::Progress,
    runner::{Mesh, Options},
    settle, terminal,
};

use crate::{
    setup::Setup,
    stop::{INTERRUPTED, Stop},
};

/// How long the sidecars may take to report; they do it four times a second.
const SETTLE_BOUND: Duration = Duration::from_secs(60);

#[derive(clap::Args)]
pub(crate) struct Args {
    /// What to run
    #[arg(long, value_enum, default_value_t = AppName::Bookinfo)]
    app: AppName,
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

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".into()),
        Ok(number) => Ok(number),
        Err(_) => Err("must be a whole number".into()),
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let progress = Progress::new();
    let setup = Setup::new(progress)?;
    let app = match args.app {
        AppName::Bookinfo => setup.bookinfo(Form::Explicit)?,
        AppName::BookinfoRun if args.no_forwarding => setup.bookinfo(Form::Alone)?,
        AppName::BookinfoRun => setup.bookinfo(Form::Unchanged)?,
        AppName::Dockebi => setup.dockebi()?,
        AppName::Grpc => setup.grpc()?,
    };
    let options = Options {
        gateway_port: args.gateway_port,
        viewer_port: args.viewer_port,
        forwarding: !args.no_forwarding,
        max_spans: room_for(args.requests, &app)?,
        ..Options::new(setup.envoy()?)
    };
    // Another demo may be set up while this one runs.
    drop(setup);
    let runtime = tokio::runtime::Runtime::new().context("cannot start the async runtime")?;
    runtime.block_on(show(args, &app, &options, progress))
}

async fn show(args: &Args, app: &App, options: &Options, progress: Progress) -> Result<ExitCode> {
    let mut stop = Stop::new()?;
    let (mut mesh, report) = tokio::select! {
        measured = measure(args, app, options, progress) => measured?,
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

async fn measure(
    args: &Args,
    app: &App,
    options: &Options,
    progress: Progress,
) -> Result<(Mesh, Report), MeshError> {
    let mut mesh = Mesh::start(app, options, progress).await?;
    let step = std::sync::Arc::new(
        progress.step(format!("sending {} requests, {} at a time", args.requests, args.concurrency)),
    );
    let noted = std::sync::Arc::clone(&step);
    let total = args.requests;
    let note = move |answered| noted.note(format!("{answered} of {total}"));
    let outcomes = load::drive(mesh.gateway(), app, args.requests, args.concurrency, note).await?;
    mesh.check()?;
    if let Some(step) = std::sync::Arc::into_inner(step) {
        step.done();
    }
    let expected = args.requests * spans_per_request(app)?;
    let step = progress.step("waiting for the spans");
    let arrived = settle::wait_for_spans(mesh.store(), expected, SETTLE_BOUND).await;
    step.done_with(&format!("{arrived} of {expected}"));
    mesh.check()?;
    let report = analyse(app, mesh.store(), outcomes)?;
    Ok((mesh, report))
}

/// Returns only when a process of the mesh has died.
async fn watch(mesh: &mut Mesh) -> MeshError {
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        if let Err(error) = mesh.check() {
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

fn spans_per_request(app: &App) -> Result<usize, MeshError> {
    Ok(app.shape()?.iter().map(|hops| hops.count).sum())
}

/// Twice what the requests make: what a user sends while the mesh stays up fits in too.
fn room_for(requests: usize, app: &App) -> Result<usize, MeshError> {
    Ok((2 * requests * spans_per_request(app)?).max(100_000))
}

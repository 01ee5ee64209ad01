//! One run: a mesh, requests, and what became of their traces.

use std::{sync::Arc, time::Duration};

use crate::{
    analysis::{Report, analyse},
    app::App,
    error::MeshError,
    load,
    progress::Progress,
    runner::{Mesh, Options},
    settle,
};

/// How long the sidecars may take to report; they do it several times a second, or every two seconds.
const SETTLE_BOUND: Duration = Duration::from_secs(60);
/// How often a backend is asked what it holds.
const FETCH_INTERVAL: Duration = Duration::from_millis(500);

/// Which requests are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// How many.
    pub requests: usize,
    /// How many at the same time.
    pub concurrency: usize,
}

/// Starts a mesh, sends the app's request through its gateway, waits for the spans and judges them. Headers of the
/// app's request that the tracer would take for its own are left out. Returns the mesh, still running, and what it has
/// shown; [`Report::summary`] is that in numbers, to be serialised.
///
/// # Errors
///
/// A [`MeshError`] that names what failed; nothing is left running then.
pub async fn measure(
    app: &App,
    options: &Options,
    load: Load,
    progress: Progress,
) -> Result<(Mesh, Report), MeshError> {
    let app = &without_own_headers(app, options);
    let Load { requests, concurrency } = load;
    let mut mesh = Mesh::start(app, options, progress).await?;
    let step = Arc::new(progress.step(format!("sending {requests} requests, {concurrency} at a time")));
    let noted = Arc::clone(&step);
    let note = move |answered| noted.note(format!("{answered} of {requests}"));
    let outcomes = load::drive(mesh.gateway(), app, requests, concurrency, note).await?;
    mesh.check()?;
    if let Some(step) = Arc::into_inner(step) {
        step.done();
    }
    let report = settle_and_judge(app, options, &mut mesh, outcomes, progress).await?;
    Ok((mesh, report))
}

async fn settle_and_judge(
    app: &App,
    options: &Options,
    mesh: &mut Mesh,
    outcomes: Vec<load::Outcome>,
    progress: Progress,
) -> Result<Report, MeshError> {
    let tracer = options.tracer.unwrap_or_default();
    let expected = outcomes.len() * spans_per_request(app, options)?;
    let step = progress.step("waiting for the spans");
    let late = if mesh.backend().is_some() { FETCH_INTERVAL } else { Duration::ZERO };
    let flush = tracer.flush_interval() + late;
    let arrived = tokio::select! {
        arrived = settle::wait_for_spans(mesh.store(), expected, flush, SETTLE_BOUND) => arrived,
        error = fetch_on(mesh) => return Err(error),
    };
    step.done_with(&format!("{arrived} of {expected}"));
    mesh.check()?;
    analyse(app, tracer.spans_per_hop(), mesh.store(), outcomes)
}

/// Brings what the backend holds into the store again and again; returns only if that fails.
async fn fetch_on(mesh: &Mesh) -> MeshError {
    loop {
        if let Err(error) = mesh.fetch().await {
            return error;
        }
        tokio::time::sleep(FETCH_INTERVAL).await;
    }
}

/// How many spans a whole request has; none without a tracer.
///
/// # Errors
///
/// [`MeshError::App`] if the app's calls do not fit together.
pub fn spans_per_request(app: &App, options: &Options) -> Result<usize, MeshError> {
    let hops: usize = app.shape()?.iter().map(|hops| hops.count).sum();
    Ok(hops * options.tracer.map_or(0, crate::tracer::Tracer::spans_per_hop))
}

fn without_own_headers(app: &App, options: &Options) -> App {
    let mut app = app.clone();
    app.headers.retain(|(name, _)| options.tracer.is_none_or(|tracer| !tracer.reads(name)));
    app
}

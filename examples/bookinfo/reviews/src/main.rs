//! Bookinfo's reviews service: two reviews of every book, with their ratings in versions 2 and 3.
//!
//! It listens on `HOST`:`PORT`; the README lists the environment variables.

mod config;
mod ratings;
mod reviews;

use std::{error::Error, process::ExitCode};

use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use crate::config::Config;

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("reviews: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until SIGTERM or Ctrl-C; requests under way are answered first.
async fn serve() -> Result<(), Box<dyn Error>> {
    let config = Config::from_vars(|name| std::env::var(name).ok())?;
    // A mistake in ONWARD_* stops the service here, and not its first request.
    onward::init_from_env()?;

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };

    let listener = TcpListener::bind((config.host.as_str(), config.port)).await?;
    println!("reviews {} ready on http://{}", config.version, listener.local_addr()?);
    axum::serve(listener, reviews::router(&config)?).with_graceful_shutdown(stop).await?;
    Ok(())
}

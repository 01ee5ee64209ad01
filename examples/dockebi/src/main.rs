//! The three-component chain gateway, dockebi, dockebi-storage. One program, two services:
//! `dockebi dockebi` and `dockebi storage`.
//!
//! Each listens on `HOST`:`PORT`; the README lists the environment variables.

mod config;
mod dockebi;
mod storage;

use std::{error::Error, process::ExitCode};

use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use crate::config::Config;

const USAGE: &str = "usage: dockebi dockebi|storage";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let storage = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["dockebi"] => false,
        ["storage"] => true,
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match serve(storage).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dockebi: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until SIGTERM or Ctrl-C; requests under way are answered first.
async fn serve(storage: bool) -> Result<(), Box<dyn Error>> {
    let config = Config::from_vars(|name| std::env::var(name).ok())?;
    // A mistake in ONWARD_* stops the service here, and not its first request.
    onward::init_from_env()?;
    let (name, router) =
        if storage { ("dockebi-storage", storage::router()) } else { ("dockebi", dockebi::router(&config)?) };

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };

    let listener = TcpListener::bind((config.host.as_str(), config.port)).await?;
    println!("{name} ready on http://{}", listener.local_addr()?);
    axum::serve(listener, router).with_graceful_shutdown(stop).await?;
    Ok(())
}

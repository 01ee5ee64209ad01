//! Ctrl-C and its like.

use std::{
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use tokio::{
    runtime::Runtime,
    signal::unix::{Signal, SignalKind, signal},
};

/// A shell's status for a program that Ctrl-C has ended.
pub(crate) const INTERRUPTED: u8 = 130;

/// Whatever asks a program to end.
pub(crate) struct Stop([Signal; 3]);

impl Stop {
    pub(crate) fn new() -> Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self([
            listen(SignalKind::interrupt())?,
            listen(SignalKind::terminate())?,
            listen(SignalKind::hangup())?,
        ]))
    }

    pub(crate) async fn asked(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

/// A flag that is set when something asks this program to end; a second request ends it at once.
pub(crate) fn flag() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let noted = Arc::clone(&flag);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start a runtime")?;
    let mut stop = listen(&runtime)?;
    thread::spawn(move || {
        runtime.block_on(stop.asked());
        noted.store(true, Ordering::Relaxed);
        // Whoever passes signals on may pass the same request on twice.
        thread::sleep(Duration::from_secs(1));
        if let Ok(mut again) = listen(&runtime) {
            runtime.block_on(again.asked());
            process::exit(i32::from(INTERRUPTED));
        }
    });
    Ok(flag)
}

fn listen(runtime: &Runtime) -> Result<Stop> {
    let _inside = runtime.enter();
    Stop::new()
}

//! The collector and its viewer alone, for trying them out and for the browser test.
//!
//! `cargo run -p onward-mesh --example collector -- --port 0` prints the address it listens on.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use onward_mesh::collector::{server, store::Store};
use onward_mesh::viewer::Options;
use tokio::net::TcpListener;

const USAGE: &str = "usage: collector [--port PORT] [--max-spans N] [--settle-ms MILLISECONDS]";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (mut port, mut max_spans, mut options) = (9411_u16, 100_000_usize, Options::default());
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or(USAGE)?;
        match name.as_str() {
            "--port" => port = value.parse()?,
            "--max-spans" => max_spans = value.parse()?,
            "--settle-ms" => options.settle = Duration::from_millis(value.parse()?),
            _ => return Err(USAGE.into()),
        }
    }
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}", listener.local_addr()?);
    let router = server::router(Arc::new(Store::new(max_spans)), &options);
    server::serve_router(listener, router, async { tokio::signal::ctrl_c().await.unwrap_or(()) }).await?;
    Ok(())
}

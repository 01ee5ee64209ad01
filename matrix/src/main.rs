//! Runs the matrix and writes its table: what `cargo xtask matrix rust` calls.
//!
//! `onward-matrix [--json] [--write FILE] [FRAMEWORK]`: with `--json` the last line counts the cells; with `--write` the table goes to
//! a file; with a framework only its row runs.

use std::process::ExitCode;

use onward_matrix::cell;
use onward_matrix::echo::Echo;
use onward_matrix::servers::Server;
use onward_matrix::table::{self, Summary};
use onward_matrix::{clients, servers};

#[tokio::main]
async fn main() -> ExitCode {
    match matrix().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether every cell passed.
async fn matrix() -> Result<bool, Box<dyn std::error::Error>> {
    let (mut json, mut file, mut only) = (false, None, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => json = true,
            "--write" => file = Some(arguments.next().ok_or("--write needs a file")?),
            name => only = Some(name.to_owned()),
        }
    }
    let chosen = |server: &&Server| only.as_deref().is_none_or(|only| server.name == only);
    let servers: Vec<Server> = servers::ALL.iter().filter(chosen).copied().collect();
    if servers.is_empty() {
        return Err(format!("there is no framework {}", only.unwrap_or_default()).into());
    }
    let echo = Echo::start().await?;
    let mut cells = Vec::new();
    for server in &servers {
        for client in clients::ALL {
            let cell = cell::run(server, client, &echo).await;
            println!("{} {}, {}", if cell.passed() { "✓" } else { "✗" }, server.name, client.name);
            for failure in &cell.failures {
                println!("    {failure}");
            }
            cells.push(cell);
        }
    }
    if let Some(file) = file {
        std::fs::write(file, table::page(&servers, clients::ALL, &cells))?;
    }
    let summary = Summary::new(&servers, clients::ALL, &cells);
    let Summary { cells, passed, failed, empty } = summary;
    if json {
        println!(r#"{{"cells":{cells},"passed":{passed},"failed":{failed},"empty":{empty}}}"#);
    } else {
        println!("{cells} cells: {passed} passed, {failed} failed, {empty} empty");
    }
    Ok(passed == cells)
}

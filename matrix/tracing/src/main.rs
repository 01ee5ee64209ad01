//! Runs the matrix and writes its table: what `cargo xtask matrix tracing` calls.
//!
//! `onward-matrix-tracing [--json] [--write FILE] [SYSTEM]`: with `--json` the last line counts the cells; with `--write` the
//! table goes to a file; with a system only its row runs. `onward-matrix-tracing front` is the service in Rust.

use std::{error::Error, process::ExitCode};

use onward_matrix_tracing::{
    cell,
    chain::Programs,
    front,
    system::{self, System},
    table::{self, Summary},
};
use onward_mesh::{envoy, runner::Options};

#[tokio::main]
async fn main() -> ExitCode {
    let result = match std::env::args().nth(1).as_deref() {
        Some("front") => front::serve().await.map(|()| true),
        _ => matrix().await,
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether every cell passed.
async fn matrix() -> Result<bool, Box<dyn Error>> {
    let (mut json, mut file, mut only) = (false, None, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => json = true,
            "--write" => file = Some(arguments.next().ok_or("--write needs a file")?),
            name => only = Some(name.to_owned()),
        }
    }
    let chosen = |system: &&System| only.as_deref().is_none_or(|only| system.name == only);
    let systems: Vec<System> = system::ALL.iter().filter(chosen).copied().collect();
    if systems.is_empty() {
        return Err(format!("there is no system {}", only.unwrap_or_default()).into());
    }
    let (programs, options) = (Programs::from_env()?, Options::new(envoy::find()?));
    let mut cells = Vec::new();
    for system in &systems {
        for beside in [false, true] {
            for cell in cell::run(&programs, &options, system, beside).await? {
                let (mark, how) = (
                    if cell.passed() { "✓" } else { "✗" },
                    if beside { ", beside OpenTelemetry" } else { "" },
                );
                println!("{mark} {}, {}{how}", cell.system, cell.language.service());
                for failure in &cell.failures {
                    println!("    {failure}");
                }
                cells.push(cell);
            }
        }
    }
    if let Some(file) = file {
        std::fs::write(file, table::page(&systems, &cells))?;
    }
    let Summary { cells, passed, failed, empty } = Summary::new(&systems, &cells);
    if json {
        println!(r#"{{"cells":{cells},"passed":{passed},"failed":{failed},"empty":{empty}}}"#);
    } else {
        println!("{cells} cells: {passed} passed, {failed} failed, {empty} empty");
    }
    Ok(passed == cells)
}

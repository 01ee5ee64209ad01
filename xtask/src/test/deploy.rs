//! What a cluster is given: Bookinfo's images and manifests.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use onward::Propagator;

use super::{
    python::path_from,
    session::Session,
    tally::{Runner, Tally},
};

const FOLDER: &str = "examples/bookinfo/deploy";

/// What each overlay's tracer writes and has to get back, and what Bookinfo's routes need.
const NEEDED: [(&str, &[&str]); 6] = [
    (
        "datadog",
        &[
            "x-request-id",
            "x-datadog-trace-id",
            "x-datadog-parent-id",
            "x-datadog-sampling-priority",
            "x-datadog-tags",
            "x-datadog-origin",
            "traceparent",
            "tracestate",
            "end-user",
        ],
    ),
    ("jaeger", &["x-request-id", "traceparent", "tracestate", "end-user"]),
    ("opentelemetry", &["x-request-id", "traceparent", "tracestate", "end-user"]),
    ("skywalking", &["x-request-id", "sw8", "end-user"]),
    ("zipkin", &["x-request-id", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "b3", "end-user"]),
    (
        "zipkin-w3c",
        &["x-request-id", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "b3", "traceparent", "end-user"],
    ),
];

pub(super) fn run(session: &mut Session) -> Result<()> {
    let setup = session.setup()?;
    let python = setup.venv()?;
    let packages = setup.python_apart(&session.root.join(FOLDER).join("tests/requirements.txt"))?;
    drop(setup);

    let mut command = session.command(python, FOLDER);
    command
        .args(["-m", "pytest", "-q", "-rs"])
        .env("PYTHONPATH", &packages)
        .env("PATH", path_from(&packages.join("bin"))?)
        // Those of the environment are for other packages.
        .env("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1");
    session.judge(FOLDER, command, |ended| {
        let (tally, problem) = Tally::verdict(Runner::Pytest, &ended.text, ended.problem());
        (tally, problem.or_else(|| not_run(&ended.text).map(|reasons| format!("{tally}: {reasons}"))))
    })?;

    let overlays = session.root.join(FOLDER).join("overlays");
    session.verify("what each overlay forwards is what its tracer needs", || {
        for (overlay, needed) in NEEDED {
            let presets = presets(&overlays.join(overlay))?;
            let left_out = left_out(&presets, needed)?;
            ensure!(left_out.is_empty(), "{overlay}: {presets} leaves out {}", left_out.join(", "));
        }
        Ok(NEEDED.len())
    });
    Ok(())
}

/// Why pytest has skipped what it has skipped: `SKIPPED [19] tests/test_manifests.py:99: the reason`.
fn not_run(text: &str) -> Option<String> {
    let lines = text.lines().filter(|line| line.starts_with("SKIPPED "));
    let mut reasons: Vec<_> = lines.filter_map(|line| Some(line.split_once(": ")?.1)).collect();
    reasons.dedup();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// What an overlay's kustomization says to Onward.
fn presets(overlay: &Path) -> Result<String> {
    let file = overlay.join("kustomization.yaml");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let presets = text.lines().find_map(|line| line.trim().strip_prefix("- ONWARD_PRESETS="));
    Ok(presets.with_context(|| format!("{} names no presets", file.display()))?.to_owned())
}

/// The headers that do not go on under these presets.
fn left_out(presets: &str, headers: &[&str]) -> Result<Vec<String>> {
    let variable = |name: &str| (name == "ONWARD_PRESETS").then(|| presets.to_owned());
    let propagator = Propagator::builder().variables(variable).build()?;
    let request: Vec<_> = headers.iter().map(|name| (*name, "value")).collect();
    let captured = propagator.extract(&request);
    let left_out = headers.iter().filter(|name| captured.get(name).is_none());
    Ok(left_out.map(|name| (*name).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preset_of_another_tracer_leaves_headers_out() {
        let needed = ["x-request-id", "traceparent", "end-user"];
        assert_eq!(left_out("zipkin,session", &needed).unwrap(), ["traceparent"]);
        assert_eq!(left_out("w3c", &needed).unwrap(), ["end-user"]);
        assert!(left_out("zipkn", &needed).is_err());
    }

    #[test]
    fn what_was_not_run_is_said_with_its_reason() {
        let text = "..ss\nSKIPPED [6] tests/test_a.py:9: no kustomize: files only\n\
                    SKIPPED [1] tests/test_a.py:12: no kustomize: files only\n\
                    SKIPPED [2] tests/test_b.py:5: no Go\n9 passed, 8 skipped in 1.00s\n";
        assert_eq!(not_run(text).unwrap(), "no kustomize: files only; no Go");
        assert_eq!(not_run("9 passed in 1.00s\n"), None);
    }
}

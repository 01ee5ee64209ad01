//! Formatting, lints, types, and what must not stand in the tree.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use super::session::Session;

/// Absolute paths of the machine that somebody works on.
const MACHINE_PATHS: &str = "(^|[^A-Za-z.])/(work|farm|root|tmp)/[a-z]";
/// The addresses of package registries: a package is called by its name.
const REGISTRIES: &str = "https?://[^ )]*(crate|pypi|pythonhosted|npm|maven|debian|golang)";
/// A lock file of npm with addresses works only where that registry is.
const RESOLVED: &str = "\"resolved\": *\"http";

const PRODUCTPAGE: &str = "examples/bookinfo/productpage";
const DEPLOY: &str = "examples/bookinfo/deploy";

pub(super) fn run(session: &mut Session) -> Result<()> {
    let mut command = session.cargo();
    command.args(["metadata", "--locked", "--format-version", "1"]);
    session.check("Cargo.lock is up to date", command)?;
    let mut command = session.cargo();
    command.args(["fmt", "--all", "--check"]);
    session.check("cargo fmt", command)?;
    let mut command = session.cargo();
    command.args(["clippy", "--workspace", "--all-targets", "--all-features", "--", "--deny", "warnings"]);
    session.check("clippy", command)?;

    let root = session.root.clone();
    let sources = [".", ":(exclude)*.lock", ":(exclude)*lock.json"];
    session.verify("no machine paths", || absent(&root, MACHINE_PATHS, &sources));
    session.verify("no registry addresses", || absent(&root, REGISTRIES, &sources));
    session.verify("no addresses in lock files of npm", || absent(&root, RESOLVED, &["*package-lock.json"]));

    python(session)?;
    node(session)
}

fn python(session: &mut Session) -> Result<()> {
    let setup = session.setup()?;
    let python = setup.venv()?;
    setup.python_requirements(&session.root.join("xtask/requirements.txt"))?;
    setup.python_requirements(&session.root.join(PRODUCTPAGE).join("requirements-test.txt"))?;
    setup.python_requirements(&session.root.join("matrix/tracing/requirements.txt"))?;
    setup.python_group(&session.root.join("bindings/python"), "test")?;
    setup.node_packages(&session.root.join("xtask"))?;
    drop(setup);
    for folder in ["bindings/python", "matrix/python", "matrix/tracing", PRODUCTPAGE, DEPLOY] {
        for (what, args) in [("ruff", vec!["check", "."]), ("ruff format", vec!["format", "--check", "."])] {
            let mut command = session.command(&python, folder);
            command.args(["-m", "ruff"]).args(args);
            session.check(&format!("{what}, {folder}"), command)?;
        }
    }
    for folder in ["bindings/python", "matrix/python", "matrix/tracing"] {
        let mut command = session.command(&python, folder);
        command.args(["-m", "mypy"]);
        session.check(&format!("mypy, {folder}"), command)?;
    }
    let mut command = session.command("node", "bindings/python");
    command.arg("../../xtask/node_modules/pyright/index.js").arg("--pythonpath").arg(&python);
    session.check("pyright, bindings/python", command)?;
    let mut command = session.command(&python, PRODUCTPAGE);
    command.args(["-m", "mypy", "--strict", "catalog.py", "explicit.py", "productpage.py", "upstreams.py"]);
    // Its types are in its source: no need to build it for this.
    command.env("MYPYPATH", session.root.join("bindings/python/python"));
    session.check(&format!("mypy, {PRODUCTPAGE}"), command)?;
    Ok(())
}

fn node(session: &mut Session) -> Result<()> {
    let setup = session.setup()?;
    setup.node_packages(&session.root.join("bindings/node"))?;
    drop(setup);
    let mut command = session.command("node_modules/.bin/tsc", "bindings/node");
    command.args(["--noEmit", "--strict", "--module", "nodenext", "--types", "node"]);
    command.args(declarations(&session.root.join("bindings/node"))?);
    session.check("tsc, bindings/node", command)?;
    Ok(())
}

/// The files of a package that tell TypeScript what is in it.
fn declarations(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))?;
    let files = entries.flatten().map(|entry| entry.path());
    Ok(files
        .filter(|file| [".d.ts", ".d.mts"].iter().any(|end| file.display().to_string().ends_with(end)))
        .collect())
}

/// Fails with the places in `dir` where `pattern` stands; files that git ignores do not count.
fn absent(dir: &Path, pattern: &str, paths: &[&str]) -> Result<usize> {
    let mut command = Command::new("git");
    command.args(["grep", "--no-index", "--exclude-standard", "-nIiE", pattern, "--"]).args(paths);
    let output = command.current_dir(dir).output().context("cannot start git")?;
    let found = String::from_utf8_lossy(&output.stdout);
    match output.status.code() {
        Some(1) => Ok(1),
        Some(0) => bail!("found\n{found}"),
        _ => bail!("git grep failed: {}", String::from_utf8_lossy(&output.stderr)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a file with this text is found.
    fn is_found(pattern: &str, text: &str) -> bool {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), text).unwrap();
        absent(dir.path(), pattern, &["."]).is_err()
    }

    #[test]
    fn a_path_of_a_machine_is_found() {
        let folder = "work";
        assert!(is_found(MACHINE_PATHS, &format!("cd /{folder}/main")));
        assert!(is_found(MACHINE_PATHS, &format!("\"/{folder}/x\"")));
        assert!(!is_found(MACHINE_PATHS, &format!("src/{folder}/main and ./{folder}/main and /{folder}")));
    }

    #[test]
    fn the_address_of_a_registry_is_found() {
        let scheme = "https:";
        assert!(is_found(REGISTRIES, &format!("{scheme}//static.crates.example/x")));
        assert!(!is_found(REGISTRIES, &format!("{scheme}//www.w3.org/TR/trace-context/ and the crate http")));
    }

    #[test]
    fn an_address_in_a_lock_file_is_found() {
        let scheme = "https:";
        assert!(is_found(RESOLVED, &format!("\"resolved\": \"{scheme}//host/a.tgz\"")));
        assert!(!is_found(RESOLVED, "\"resolved\": \"../../../bindings/node\""));
    }
}

//! The packages as users get them: built, installed into clean environments outside the tree, and used.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use super::{
    crates,
    session::{Session, clean_venv},
    tally::{Runner, Tally},
};
use crate::setup::{self, Tool};

/// The oldest Linux that the wheel is for: glibc 2.17, as Rust itself.
const MANYLINUX: &str = "manylinux_2_17";
/// What a user has beside the package, for the README's lines.
const PYTHON_BESIDE: [&str; 2] = ["flask", "requests"];

pub(super) fn run(session: &mut Session) -> Result<()> {
    crates::run(session)?;
    python(session)?;
    node(session)
}

fn python(session: &mut Session) -> Result<()> {
    let setup = session.setup()?;
    let tools = setup.venv()?;
    let Tool { path: python, version } = setup.python()?.clone();
    setup.python_requirements(&session.root.join("xtask/requirements.txt"))?;
    drop(setup);

    let dist = session.folder()?;
    let mut command = session.command(&tools, "bindings/python");
    command.args(["-m", "maturin", "build", "--release", "--sdist", "--zig"]);
    command.args(["--compatibility", MANYLINUX, "--out"]).arg(&dist);
    // Not in the usual folder: to Cargo, a source distribution unpacked is an old state of this workspace, long built.
    command.env("CARGO_TARGET_DIR", session.folder()?);
    // Zig comes as a Python package, and is looked for in this one.
    command.env("CARGO_ZIGBUILD_PYTHON_PATH", &tools);
    if session.check("Python: the source distribution, and a wheel from it", command)? {
        let wheel = one(&dist, "whl")?;
        python_platform(session, &tools, &wheel)?;
        python_user(session, "the wheel", &python, &tools, &wheel)?;
        // The tests of the step `python` are for the one that is left out.
        for other in setup::pythons().iter().filter(|other| other.version != version) {
            python_tests(session, other, &wheel)?;
        }
    }

    let clone = session.folder()?.join("clone");
    let mut command = session.command("git", "");
    command.args(["clone", "--quiet", "--no-hardlinks", "."]).arg(&clone);
    if session.check("a clean clone of what is committed", command)? {
        python_user(
            session,
            "bindings/python of the clone",
            &python,
            &tools,
            &clone.join("bindings/python"),
        )?;
    }
    Ok(())
}

/// Asks somebody else than the wheel's builder what it runs on.
fn python_platform(session: &mut Session, tools: &Path, wheel: &Path) -> Result<()> {
    let mut command = session.command(tools, "");
    command.args(["-m", "auditwheel", "show"]).arg(wheel);
    session.judge(&format!("Python: the wheel runs on {MANYLINUX}"), command, |ended| {
        let tag = format!("\"{MANYLINUX}_{}\"", env::consts::ARCH);
        match ended.problem() {
            None if ended.text.contains(&tag) => (Tally::passed(1), None),
            None => (Tally::failure(), Some("auditwheel names another platform".to_owned())),
            problem => (Tally::failure(), problem),
        }
    })?;
    Ok(())
}

/// Installs `package` into an environment with nothing in it and uses it there.
fn python_user(session: &mut Session, what: &str, python: &Path, tools: &Path, package: &Path) -> Result<()> {
    let Some(venv) = clean_venv(session, &format!("Python: an environment for {what}"), python)? else {
        return Ok(());
    };
    let home = session.folder()?;
    let mut command = pip_install(session, &venv);
    command
        .arg(package)
        .args(PYTHON_BESIDE)
        .current_dir(&home)
        .env("CARGO_TARGET_DIR", setup::target(&session.root));
    if !session.check(&format!("Python: {what} installs"), command)? {
        return Ok(());
    }
    let program = program(&home, "user.py", include_str!("programs/user.py"))?;
    let mut command = session.command(&venv, "");
    command.args(["-W", "error"]).arg(&program).arg(session.root.join("README.md")).current_dir(&home);
    session.check(&format!("Python: a program and the README's lines with {what}"), command)?;
    let mut command = session.command(tools, "");
    command.args(["-m", "mypy", "--strict", "--python-executable"]).arg(&venv);
    command.args(["--cache-dir", "mypy"]).arg(&program).current_dir(&home);
    session.check(&format!("Python: the program's types with {what}"), command)?;
    Ok(())
}

/// Runs the package's own tests with the wheel, in an environment of their own.
fn python_tests(session: &mut Session, python: &Tool, wheel: &Path) -> Result<()> {
    let what = format!("Python {}", python.version);
    let Some(venv) = clean_venv(session, &format!("{what}: an environment"), &python.path)? else {
        return Ok(());
    };
    // The pip that comes with older Pythons knows no groups.
    let mut newer = pip_install(session, &venv);
    newer.arg("pip>=25.1");
    let mut command = pip_install(session, &venv);
    command.arg(wheel).args(["--group", "bindings/python/pyproject.toml:test"]);
    if session.check(&format!("{what}: a newer pip"), newer)?
        && session.check(&format!("{what}: the wheel, and what its tests need"), command)?
    {
        let mut command = session.command(&venv, "bindings/python");
        command.args(["-m", "pytest", "-q", "-p", "no:cacheprovider"]);
        session.tests(&format!("{what}: the tests with the wheel"), Runner::Pytest, command)?;
    }
    Ok(())
}

fn pip_install(session: &Session, venv: &Path) -> Command {
    let mut command = session.command(venv, "");
    command.args(["-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]);
    command
}

fn node(session: &mut Session) -> Result<()> {
    let setup = session.setup()?;
    setup.node_binding()?;
    setup.node_packages(&session.root.join("xtask"))?;
    drop(setup);

    let home = session.folder()?;
    let mut command = session.command("node", "bindings/node");
    command.arg("pack.mjs").arg(&home);
    if !session.check("Node: the packages, one of them for this platform's binary", command)? {
        return Ok(());
    }
    let tarballs = all(&home, "tgz")?;
    node_lint(session, &tarballs)?;
    fs::write(
        home.join("package.json"),
        "{ \"name\": \"user\", \"version\": \"1.0.0\", \"private\": true }\n",
    )?;
    let mut command = session.command("npm", "");
    // By force, because there may be packages for other platforms too.
    command.args(["install", "--offline", "--force", "--no-audit", "--no-fund", "--loglevel", "error"]);
    command.args(&tarballs).current_dir(&home);
    if !session.check("Node: the packages install into an empty folder, without network", command)? {
        return Ok(());
    }
    let readme = session.root.join("README.md");
    let programs = [
        ("user.cjs", "CommonJS, with the README's lines", include_str!("programs/user.cjs")),
        ("user.mjs", "ES modules", include_str!("programs/user.mjs")),
    ];
    for (name, what, source) in programs {
        let program = program(&home, name, source)?;
        let mut command = session.command("node", "");
        command.arg(program).arg(&readme).current_dir(&home);
        session.check(&format!("Node: {what}"), command)?;
    }
    for (name, what) in [("user.mts", "ES modules"), ("user.cts", "CommonJS")] {
        let program = program(&home, name, include_str!("programs/user.ts"))?;
        let own = session.root.join("bindings/node/node_modules");
        let mut command = session.command(own.join(".bin/tsc"), "");
        command.args(["--noEmit", "--strict", "--module", "nodenext", "--types", "node", "--typeRoots"]);
        command.arg(own.join("@types")).arg(program).current_dir(&home);
        session.check(&format!("Node: TypeScript, {what}"), command)?;
    }
    Ok(())
}

/// What others say about the packages, `onward` first.
fn node_lint(session: &mut Session, tarballs: &[PathBuf]) -> Result<()> {
    let tools = session.root.join("xtask/node_modules/.bin");
    for tarball in tarballs {
        let mut command = session.command(tools.join("publint"), "");
        command.arg("--strict").arg(tarball);
        session.check(&format!("Node: publint, {}", file_name(tarball)), command)?;
    }
    let mut command = session.command(tools.join("attw"), "");
    command.arg(&tarballs[0]);
    session.check(&format!("Node: are the types wrong? {}", file_name(&tarballs[0])), command)?;
    Ok(())
}

fn program(home: &Path, name: &str, source: &str) -> Result<PathBuf> {
    let path = home.join(name);
    fs::write(&path, source).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// The one file in a folder that ends so.
fn one(dir: &Path, ending: &str) -> Result<PathBuf> {
    let mut found = all(dir, ending)?;
    anyhow::ensure!(found.len() == 1, "more than one .{ending} file was made");
    Ok(found.remove(0))
}

/// The files in a folder that end so, the shortest name first.
fn all(dir: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))?;
    let mut found: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == ending))
        .collect();
    anyhow::ensure!(!found.is_empty(), "no .{ending} file was made");
    found.sort_by_key(|path| path.as_os_str().len());
    Ok(found)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().display().to_string()
}

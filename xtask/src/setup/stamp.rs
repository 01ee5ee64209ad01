//! Remembers what a step was last done with, so that it is not done again for the same inputs.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use ignore::WalkBuilder;
use sha2::{Digest, Sha256};

/// A file that holds the hash of a step's inputs.
pub(super) struct Stamp {
    file: PathBuf,
    hash: String,
}

impl Stamp {
    /// The stamp `file` for a step that depends on `words` and on the contents of `paths`, files or folders. What git
    /// ignores is no input; a path that does not exist counts as empty.
    pub(super) fn new(file: PathBuf, words: &[&str], paths: &[PathBuf]) -> Result<Self> {
        let mut hash = Sha256::new();
        let mut add = |bytes: &[u8]| {
            // The length keeps ("ab", "c") and ("a", "bc") apart.
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        for word in words {
            add(word.as_bytes());
        }
        for path in paths.iter().filter(|path| path.exists()) {
            let walk = WalkBuilder::new(path).require_git(false).sort_by_file_path(Path::cmp).build();
            for entry in walk {
                let entry = entry.with_context(|| format!("cannot list {}", path.display()))?;
                if entry.file_type().is_some_and(|kind| kind.is_file()) {
                    let bytes = fs::read(entry.path());
                    add(entry.path().as_os_str().as_encoded_bytes());
                    add(&bytes.with_context(|| format!("cannot read {}", entry.path().display()))?);
                }
            }
        }
        Ok(Self { file, hash: hex(&hash.finalize()) })
    }

    /// Whether the step was done with these inputs.
    pub(super) fn is_fresh(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|hash| hash == self.hash)
    }

    /// Notes that the step is done.
    pub(super) fn set(&self) -> Result<()> {
        let parent = self.file.parent().context("a stamp has a directory")?;
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        fs::write(&self.file, &self.hash).with_context(|| format!("cannot write {}", self.file.display()))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(dir: &Path, words: &[&str]) -> Stamp {
        Stamp::new(dir.join("made/stamp"), words, &[dir.join("src")]).unwrap()
    }

    #[test]
    fn a_step_is_fresh_until_one_of_its_inputs_changes() {
        let dir = std::env::temp_dir().join(format!("onward-stamp-{}", std::process::id()));
        fs::create_dir_all(dir.join("src/target")).unwrap();
        fs::write(dir.join("src/.gitignore"), "/target\n").unwrap();
        fs::write(dir.join("src/a"), "one").unwrap();
        assert!(!stamp(&dir, &["3.13"]).is_fresh());
        stamp(&dir, &["3.13"]).set().unwrap();
        assert!(stamp(&dir, &["3.13"]).is_fresh());

        fs::write(dir.join("src/target/built"), "ignored by git").unwrap();
        assert!(stamp(&dir, &["3.13"]).is_fresh());
        assert!(!stamp(&dir, &["3.12"]).is_fresh());
        fs::write(dir.join("src/a"), "two").unwrap();
        assert!(!stamp(&dir, &["3.13"]).is_fresh());
        fs::remove_dir_all(&dir).unwrap();
    }
}

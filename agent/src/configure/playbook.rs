//! A playbook that lies in a local directory: whether it is one, and its
//! digest, which tells whether it is another one than last time.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::platform::paths::Paths;

/// The most entries that a playbook may have, collections included.
const MOST_ENTRIES: usize = 100_000;

/// The most bytes that a playbook may have.
const MOST_BYTES: u64 = 1 << 30;

/// Left out of the digest: what Python writes beside the code that it runs, and
/// what a checkout changes without changing a file of it.
const LEFT_OUT: [&str; 2] = ["__pycache__", ".git"];

/// A directory is no playbook that can be run.
#[derive(Debug, thiserror::Error)]
pub enum PlaybookError {
    /// It is not there, or no directory.
    #[error("failed to open the playbook directory '{}'", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The entry's name leads out of the directory.
    #[error("the entry '{entry}' must be a file inside the playbook directory '{}'", path.display())]
    Outside {
        /// The directory.
        path: PathBuf,
        /// The entry.
        entry: String,
    },
    /// The entry is not there, or no file.
    #[error("failed to find the entry '{entry}' in the playbook directory '{}'", path.display())]
    Entry {
        /// The directory.
        path: PathBuf,
        /// The entry.
        entry: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Part of it cannot be read.
    #[error("failed to read '{}' of the playbook", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is too large to be a playbook.
    #[error(
        "the playbook directory '{}' holds more than {MOST_ENTRIES} entries or {} MiB",
        path.display(),
        MOST_BYTES >> 20
    )]
    TooLarge {
        /// The directory.
        path: PathBuf,
    },
}

/// A playbook in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playbook {
    directory: PathBuf,
}

impl Playbook {
    /// The playbook that the setting names: below gild's root where it is
    /// absolute, as on a host, else below the current directory, as by hand.
    pub fn open(paths: &Paths, setting: &str) -> Result<Self, PlaybookError> {
        let named = Path::new(setting);
        let path = if named.is_absolute() { paths.host(named) } else { named.to_owned() };
        let directory = fs::canonicalize(&path)
            .and_then(|directory| fs::read_dir(&directory).map(|_| directory))
            .map_err(|source| PlaybookError::Directory { path, source })?;
        Ok(Self { directory })
    }

    /// Where it lies, links resolved.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Checks that `entry` is a file of this playbook.
    pub fn check_entry(&self, entry: &str) -> Result<(), PlaybookError> {
        let path = self.directory.clone();
        let inside = Path::new(entry)
            .components()
            .all(|component| matches!(component, Component::Normal(_) | Component::CurDir));
        // A name that begins with a dash would be an option of Ansible's.
        if !inside || entry.is_empty() || entry.starts_with('-') {
            return Err(PlaybookError::Outside { path, entry: entry.to_owned() });
        }
        let found = fs::canonicalize(path.join(entry)).and_then(|found| {
            if found.is_file() { Ok(found) } else { Err(io::Error::other("it is not a file")) }
        });
        match found {
            Ok(found) if found.starts_with(&path) => Ok(()),
            Ok(_) => Err(PlaybookError::Outside { path, entry: entry.to_owned() }),
            Err(source) => Err(PlaybookError::Entry { path, entry: entry.to_owned(), source }),
        }
    }

    /// SHA-256 over the sorted relative paths with what stands under them: the
    /// contents and the executable bit of files, the targets of links.
    pub fn digest(&self) -> Result<String, PlaybookError> {
        self.digest_within(MOST_ENTRIES, MOST_BYTES)
    }

    fn digest_within(&self, most: usize, mut bytes: u64) -> Result<String, PlaybookError> {
        let too_large = || PlaybookError::TooLarge { path: self.directory.clone() };
        let mut entries = Vec::new();
        let mut open = vec![self.directory.clone()];
        while let Some(directory) = open.pop() {
            let failed = |source| PlaybookError::Read { path: directory.clone(), source };
            for entry in fs::read_dir(&directory).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                if LEFT_OUT.iter().any(|name| entry.file_name() == *name) {
                    continue;
                }
                if entry.file_type().map_err(failed)?.is_dir() {
                    open.push(entry.path());
                }
                entries.push(entry.path());
                if entries.len() > most {
                    return Err(too_large());
                }
            }
        }
        entries.sort();
        let mut whole = Sha256::new();
        for path in entries {
            let content = content(&path, &mut bytes)
                .map_err(|source| PlaybookError::Read { path: path.clone(), source })?;
            let content = content.ok_or_else(too_large)?;
            let name = path.strip_prefix(&self.directory).unwrap_or(&path).as_os_str().as_bytes();
            // With its length before it, no name can pass for another's content.
            whole.update((name.len() as u64).to_be_bytes());
            whole.update(name);
            whole.update(content);
        }
        Ok(hex(&whole.finalize()))
    }
}

/// The digest of one entry, its kind included; `None` where `left` bytes are
/// not enough to read it.
fn content(path: &Path, left: &mut u64) -> io::Result<Option<[u8; 32]>> {
    let mut digest = Sha256::new();
    let about = fs::symlink_metadata(path)?;
    if about.is_symlink() {
        digest.update(b"link\0");
        digest.update(fs::read_link(path)?.as_os_str().as_bytes());
    } else if about.is_file() {
        let executable = about.permissions().mode() & 0o100 != 0;
        digest.update(if executable { b"prog\0" } else { b"file\0" });
        let mut file = File::open(path)?;
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            let Some(rest) = left.checked_sub(count as u64) else { return Ok(None) };
            *left = rest;
            digest.update(buffer.get(..count).unwrap_or_default());
        }
    } else {
        // Nothing is read from a pipe or a device.
        digest.update(if about.is_dir() { b"tree\0" } else { b"else\0" });
    }
    Ok(Some(digest.finalize().into()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::symlink;

    use super::*;

    fn playbook() -> (tempfile::TempDir, Playbook) {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("roles")).unwrap();
        fs::write(directory.path().join("main.yml"), "[]").unwrap();
        fs::write(directory.path().join("roles/a.yml"), "a").unwrap();
        let name = directory.path().to_str().unwrap().to_owned();
        let playbook = Playbook::open(&Paths::installed(Path::new("/")), &name).unwrap();
        (directory, playbook)
    }

    #[test]
    fn the_digest_stays_until_something_changes() {
        let (directory, playbook) = playbook();
        let root = directory.path();
        let mut seen = vec![playbook.digest().unwrap()];
        let mut changed = |what: &str| {
            let digest = playbook.digest().unwrap();
            assert!(!seen.contains(&digest), "{what}");
            assert_eq!(digest, playbook.digest().unwrap());
            seen.push(digest);
        };
        fs::write(root.join("roles/a.yml"), "b").unwrap();
        changed("content");
        fs::rename(root.join("roles/a.yml"), root.join("roles/b.yml")).unwrap();
        changed("name");
        fs::set_permissions(root.join("main.yml"), fs::Permissions::from_mode(0o755)).unwrap();
        changed("executable");
        symlink("main.yml", root.join("link")).unwrap();
        changed("link");
        fs::remove_file(root.join("link")).unwrap();
        symlink("roles", root.join("link")).unwrap();
        changed("target");
        fs::create_dir(root.join("empty")).unwrap();
        changed("directory");
    }

    #[test]
    fn what_running_it_leaves_behind_does_not_change_it() {
        let (directory, playbook) = playbook();
        let before = playbook.digest().unwrap();
        fs::create_dir(directory.path().join("roles/__pycache__")).unwrap();
        fs::write(directory.path().join("roles/__pycache__/x.pyc"), "x").unwrap();
        assert_eq!(playbook.digest().unwrap(), before);
    }

    #[test]
    fn what_is_too_large_is_refused() {
        let (_directory, playbook) = playbook();
        assert!(matches!(playbook.digest_within(2, 100), Err(PlaybookError::TooLarge { .. })));
        assert!(matches!(playbook.digest_within(3, 2), Err(PlaybookError::TooLarge { .. })));
        assert!(playbook.digest_within(3, 3).is_ok());
    }

    #[test]
    fn the_entry_is_a_file_inside() {
        let (directory, playbook) = playbook();
        symlink("/etc/passwd", directory.path().join("out.yml")).unwrap();
        assert!(playbook.check_entry("main.yml").is_ok());
        assert!(playbook.check_entry("roles/a.yml").is_ok());
        for outside in ["../main.yml", "/main.yml", "roles/../../x", "", "out.yml", "-v"] {
            let error = playbook.check_entry(outside).unwrap_err();
            assert!(matches!(error, PlaybookError::Outside { .. }), "{outside}: {error}");
        }
        for missing in ["other.yml", "roles"] {
            let error = playbook.check_entry(missing).unwrap_err();
            assert!(matches!(error, PlaybookError::Entry { .. }), "{missing}: {error}");
        }
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let paths = Paths::installed(Path::new("/nowhere"));
        let error = Playbook::open(&paths, "/deployment/playbook").unwrap_err();
        assert_eq!(
            error.to_string(),
            "failed to open the playbook directory '/nowhere/deployment/playbook'"
        );
    }
}

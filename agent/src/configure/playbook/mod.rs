//! A playbook in a directory: whether it is one, and its digest, which tells
//! whether it is another one than last time.
//!
//! One that is elsewhere becomes such a directory first: `address` reads what the
//! setting names, `fetch` obtains it by way of `archive` or `prefix`, `transfer`
//! brings single files, `signature` and `serial` say whether an archive may be
//! run, `unpack` makes a `tree` of it, and `store` keeps it for the next boot.

/// What the setting names.
pub mod address;
/// One archive.
mod archive;
/// Why a playbook cannot be had.
pub mod error;
/// A playbook, wherever it is.
pub mod fetch;
/// Long names in archives.
mod headers;
/// What lies below a prefix.
mod listing;
/// Names that stay inside.
pub mod name;
/// How an archive is packed.
pub mod packing;
/// A prefix of a bucket.
mod prefix;
/// What is known about one that is kept.
mod record;
/// The serials that were accepted.
pub mod serial;
/// Signatures.
pub mod signature;
/// Those that are kept.
pub mod store;
/// One file from elsewhere.
pub mod transfer;
/// The directory that is being filled.
mod tree;
/// From an archive to a directory.
pub mod unpack;

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::digest::{Undigested, digest};
use crate::platform::paths::Paths;

/// The most entries that a playbook may have, collections included.
pub const MOST_ENTRIES: usize = 100_000;

/// The most bytes that a playbook may have.
pub const MOST_BYTES: u64 = 1 << 30;

/// The largest archive, in bytes.
pub const LARGEST_ARCHIVE: u64 = 256 << 20;

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
    pub(super) directory: PathBuf,
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

    /// What tells this playbook from another one.
    pub fn digest(&self) -> Result<String, PlaybookError> {
        digest(&self.directory, MOST_ENTRIES, MOST_BYTES).map_err(|why| match why {
            Undigested::Read(path, source) => PlaybookError::Read { path, source },
            Undigested::TooLarge => PlaybookError::TooLarge { path: self.directory.clone() },
        })
    }
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

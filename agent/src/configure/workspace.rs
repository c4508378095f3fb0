//! What a running step needs on disk: a directory in memory-backed `/run` that
//! nobody but its owner may enter, and that is gone when the step is over,
//! however it ended.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::platform::fs::create_dir;

/// The directory could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// The directory cannot be made.
    #[error("failed to make the step's directory '{}'", path.display())]
    Create {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file in it cannot be written.
    #[error("failed to write '{}'", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// The directory of a running step. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct Workspace {
    directory: PathBuf,
}

impl Workspace {
    /// Makes the directory anew. What a killed process may have left there is
    /// removed first; the caller holds the lock, so nobody else is using it.
    pub(crate) fn create(directory: &Path) -> Result<Self, WorkspaceError> {
        let create = || {
            match fs::remove_dir_all(directory) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            if let Some(parent) = directory.parent() {
                create_dir(parent, 0o755)?;
            }
            // Not recursive: it must be this process that makes it.
            fs::DirBuilder::new().mode(0o700).create(directory)
        };
        create().map_err(|source| WorkspaceError::Create { path: directory.to_owned(), source })?;
        Ok(Self { directory: directory.to_owned() })
    }

    /// Writes a file that only its owner may read.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, WorkspaceError> {
        let path = self.directory.join(name);
        let write = || {
            if let Some(parent) = path.parent() {
                create_dir(parent, 0o700)?;
            }
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            file.write_all(bytes)
        };
        write().map_err(|source| WorkspaceError::Write { path: path.clone(), source })?;
        Ok(path)
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.directory) {
            tracing::warn!(
                path = %self.directory.display(),
                %error,
                "the step's directory could not be removed"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_the_owner_may_enter_and_nothing_is_left() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("run/step");
        let workspace = Workspace::create(&directory).unwrap();
        let file = workspace.write("vars.yml", b"{}").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&directory), 0o700);
        assert_eq!(mode(&file), 0o600);
        drop(workspace);
        assert!(!directory.exists());
    }

    #[test]
    fn what_a_killed_process_left_is_removed_first() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("step");
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("vars.yml"), "old").unwrap();
        let workspace = Workspace::create(&directory).unwrap();
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
        drop(workspace);
    }
}

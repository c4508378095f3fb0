//! One step at a time: the boot and a hand-run take the same lock. The kernel
//! lets go of it when its holder ends, however that comes about.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use crate::platform::fs::create_dir;

/// The lock was not to be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process is at work.
    #[error(
        "another configuration step is running{}",
        holder.map(|id| format!(" (process {id})")).unwrap_or_default()
    )]
    Held {
        /// Its process id, where it is known.
        holder: Option<u32>,
    },
    /// The lock's file cannot be used.
    #[error("failed to lock '{}'", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// The lock, held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, or says who has it.
    pub fn acquire(path: &Path) -> Result<Self, LockError> {
        let failed = |source| LockError::File { path: path.to_owned(), source };
        let mut file = open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {
                let id = std::process::id();
                file.set_len(0).and_then(|()| writeln!(file, "{id}")).map_err(failed)?;
                return Ok(Self { _file: file });
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let mut text = String::new();
        let _ = file.take(32).read_to_string(&mut text);
        Err(LockError::Held { holder: text.trim().parse().ok() })
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(parent) = path.parent() {
        create_dir(parent, 0o755)?;
    }
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        // Whoever can open the file can hold the lock, and so keep a boot out.
        .mode(0o600)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_second_is_told_who_has_the_lock() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run/configure.lock");
        let lock = Lock::acquire(&path).unwrap();
        let error = Lock::acquire(&path).unwrap_err();
        let own = std::process::id();
        assert_eq!(
            error.to_string(),
            format!("another configuration step is running (process {own})")
        );
        drop(lock);
        Lock::acquire(&path).unwrap();
    }

    #[test]
    fn a_link_is_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("target");
        std::fs::write(&target, "keep").unwrap();
        let path = directory.path().join("lock");
        std::os::unix::fs::symlink(&target, &path).unwrap();
        assert!(matches!(Lock::acquire(&path), Err(LockError::File { .. })));
        assert_eq!(std::fs::read(&target).unwrap(), b"keep");
    }
}

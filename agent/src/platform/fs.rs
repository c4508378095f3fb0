//! Files that are written whole or not at all: a reader sees the old content
//! or the new one, also when the writer is killed or the power goes.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;

use nix::fcntl::OFlag;

/// Who may read a file that gild writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The owner alone (0600).
    Owner,
    /// The owner, and the group of the directory that holds it (0640).
    Group,
    /// Everybody (0644).
    All,
    /// This user alone, whose it then is (0400).
    User(u32),
}

impl Access {
    fn mode(self) -> u32 {
        match self {
            Access::Owner => 0o600,
            Access::Group => 0o640,
            Access::All => 0o644,
            Access::User(_) => 0o400,
        }
    }
}

/// Writes `bytes` to `path` by way of a synced temporary file beside it.
pub fn write_atomic(path: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Others may make files in the directory too: a name that they cannot guess
    // is one that they cannot take first.
    let temporary = directory.join(format!(".{name}.{:016x}", fastrand::u64(..)));
    remove_leftovers(directory, &format!(".{name}."));
    let written = (|| {
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(access.mode()).open(&temporary)?;
        match access {
            Access::Owner | Access::All => {}
            Access::Group => adopt_group(&file, directory)?,
            Access::User(user) => give(&file, Some(user), None)?,
        }
        if access == Access::All {
            // Whatever the umask says.
            file.set_permissions(Permissions::from_mode(access.mode()))?;
        }
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        File::open(directory)?.sync_all()
    })();
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Writes `bytes` to a file that must not exist yet (0600), by way of a synced temporary file
/// beside it.
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = match path.parent() {
        Some(directory) if directory != Path::new("") => directory,
        _ => Path::new("."),
    };
    let temporary = directory.join(format!(".gild.{:016x}", fastrand::u64(..)));
    let written = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(Access::Owner.mode())
            .open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        // Unlike a renaming, a link replaces nothing.
        fs::hard_link(&temporary, path)
    })();
    let _ = fs::remove_file(&temporary);
    written?;
    File::open(directory)?.sync_all()
}

/// Removes what a writer that was killed has left. Only one process writes a
/// given file at a time, so none of them is in use.
fn remove_leftovers(directory: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Gives the file the group of its directory: root writes what the daemon's
/// group reads, without knowing the group's number.
fn adopt_group(file: &File, directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let group = fs::metadata(directory)?.gid();
    if file.metadata()?.gid() == group {
        return Ok(());
    }
    give(file, None, Some(group))
}

/// Gives the file to others.
fn give(file: &File, user: Option<u32>, group: Option<u32>) -> io::Result<()> {
    match fchown(file, user, group) {
        // Someone who is not root may lack the right; the file is then theirs.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        other => other,
    }
}

/// Creates a directory and its parents with the given mode; one that exists
/// keeps the mode it has.
pub fn create_dir(path: &Path, mode: u32) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(mode).create(path)
}

/// Reads a regular file of at most `limit` bytes; `None` where there is none.
pub fn read_capped(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    // A pipe in the place of a file must not make the reader wait for a writer.
    let flags = OFlag::O_NONBLOCK.bits();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    // With room for all of it at once: what grows leaves copies behind, and it may be a
    // secret.
    let room = usize::try_from(metadata.len().min(limit)).unwrap_or_default();
    let mut bytes = Vec::with_capacity(room.saturating_add(64));
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is larger than {limit} bytes"),
        ));
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.json");
        fs::write(directory.path().join(".state.json.0123"), "half").unwrap();
        let own = nix::unistd::geteuid().as_raw();
        for (text, access, mode) in [
            ("a", Access::Owner, 0o600),
            ("b", Access::Group, 0o640),
            ("c", Access::All, 0o644),
            ("d", Access::User(own), 0o400),
        ] {
            write_atomic(&path, text.as_bytes(), access).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
        }
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_new_file_replaces_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new.toml");
        write_new(&path, b"a").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let error = write_new(&path, b"b").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "a");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_cannot_be_written_leaves_the_old_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("taken");
        fs::create_dir(&path).unwrap();
        assert!(write_atomic(&path, b"x", Access::Owner).is_err());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_above_the_cap_is_refused_and_none_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x");
        assert!(read_capped(&path, 3).unwrap().is_none());
        fs::write(&path, "abc").unwrap();
        assert_eq!(read_capped(&path, 3).unwrap().unwrap(), b"abc");
        assert!(read_capped(&path, 2).is_err());
        let pipe = directory.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(read_capped(&pipe, 2).is_err());
    }
}

//! Files that are written whole or not at all: a reader sees the old content
//! or the new one, also when the writer is killed or the power goes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, chown};
use std::path::Path;

/// Who may read a file that gild writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The owner alone (0600).
    Owner,
    /// The owner, and the group of the directory that holds it (0640).
    Group,
}

impl Access {
    fn mode(self) -> u32 {
        match self {
            Access::Owner => 0o600,
            Access::Group => 0o640,
        }
    }
}

/// Writes `bytes` to `path` by way of a synced temporary file beside it.
pub fn write_atomic(path: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Only one process writes a given file (the configure lock, or the one
    // daemon), so the process id is enough to keep writers apart.
    let temporary = directory.join(format!(".{name}.{}", std::process::id()));
    let written = (|| {
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(access.mode()).open(&temporary)?;
        if access == Access::Group {
            adopt_group(&file, directory, &temporary)?;
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

/// Gives the file the group of its directory: root writes what the daemon's
/// group reads, without knowing the group's number.
fn adopt_group(file: &File, directory: &Path, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let group = fs::metadata(directory)?.gid();
    if file.metadata()?.gid() == group {
        return Ok(());
    }
    match chown(path, None, Some(group)) {
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

/// Reads a file of at most `limit` bytes; `None` where there is no such file.
pub fn read_capped(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is larger than {limit} bytes"),
        ));
    }
    Ok(Some(bytes))
}

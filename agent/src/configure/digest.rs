//! The digest of a directory: SHA-256 over the sorted relative paths with what
//! stands under them, which is the contents and the executable bit of files and
//! the targets of links. It is bounded in entries and bytes.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::platform::hex::hex;

/// Left out of the digest: what Python writes beside the code that it runs, and
/// what a checkout changes without changing a file of it.
const LEFT_OUT: [&str; 2] = ["__pycache__", ".git"];

/// Why a directory has no digest.
#[derive(Debug)]
pub(crate) enum Undigested {
    /// Something in it cannot be read.
    Read(PathBuf, io::Error),
    /// It has more entries or bytes than may be.
    TooLarge,
}

/// The digest of a directory of at most `most` entries and `bytes` bytes, as
/// hexadecimal digits.
pub(crate) fn digest(root: &Path, most: usize, mut bytes: u64) -> Result<String, Undigested> {
    let mut whole = Sha256::new();
    for path in entries(root, most)? {
        let content = content(&path, &mut bytes)
            .map_err(|source| Undigested::Read(path.clone(), source))?
            .ok_or(Undigested::TooLarge)?;
        let name = path.strip_prefix(root).unwrap_or(&path).as_os_str().as_bytes();
        // With its length before it, no name can pass for another's content.
        whole.update((name.len() as u64).to_be_bytes());
        whole.update(name);
        whole.update(content);
    }
    Ok(hex(&whole.finalize()))
}

/// Everything below a directory, sorted.
fn entries(root: &Path, most: usize) -> Result<Vec<PathBuf>, Undigested> {
    let mut entries = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        let failed = |source| Undigested::Read(directory.clone(), source);
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
                return Err(Undigested::TooLarge);
            }
        }
    }
    entries.sort();
    Ok(entries)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::symlink;

    use super::*;

    fn tree() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("roles")).unwrap();
        fs::write(directory.path().join("main.yml"), "[]").unwrap();
        fs::write(directory.path().join("roles/a.yml"), "a").unwrap();
        directory
    }

    fn whole(root: &Path) -> String {
        digest(root, 100, 1000).unwrap()
    }

    #[test]
    fn the_digest_stays_until_something_changes() {
        let directory = tree();
        let root = directory.path();
        let mut seen = vec![whole(directory.path())];
        let mut changed = |what: &str| {
            let digest = whole(directory.path());
            assert!(!seen.contains(&digest), "{what}");
            assert_eq!(digest, whole(directory.path()));
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
        let directory = tree();
        let before = whole(directory.path());
        fs::create_dir(directory.path().join("roles/__pycache__")).unwrap();
        fs::write(directory.path().join("roles/__pycache__/x.pyc"), "x").unwrap();
        assert_eq!(whole(directory.path()), before);
    }

    #[test]
    fn what_is_too_large_is_refused() {
        let directory = tree();
        assert!(matches!(digest(directory.path(), 2, 100), Err(Undigested::TooLarge)));
        assert!(matches!(digest(directory.path(), 3, 2), Err(Undigested::TooLarge)));
        assert!(digest(directory.path(), 3, 3).is_ok());
    }
}

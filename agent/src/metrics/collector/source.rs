//! Files of the kernel, read whole into one buffer that is used again at every
//! tick. A file that this kernel does not have is no error.
//!
//! What several collectors read is read once a tick: they ask `Files` for it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::CollectError;
use crate::platform::paths::Paths;

/// More than this is not read: no file that is read here comes near it.
const MOST_BYTES: u64 = 8 << 20;

/// The files that the collectors of one configuration read at every tick.
#[derive(Debug)]
pub struct Files {
    paths: Paths,
    kept: Vec<Kept>,
}

#[derive(Debug)]
struct Kept {
    path: &'static str,
    source: Source,
    /// Whether this tick has read it, and whether it was there.
    read: Option<bool>,
}

impl Files {
    /// Files below `paths`; nothing is read yet.
    pub fn new(paths: &Paths) -> Self {
        Self { paths: paths.clone(), kept: Vec::new() }
    }

    /// A new tick: what was read before is old.
    pub fn next_tick(&mut self) {
        self.kept.iter_mut().for_each(|kept| kept.read = None);
    }

    /// The content at this tick; `None` where there is no such file.
    pub fn read(&mut self, path: &'static str) -> Result<Option<&[u8]>, CollectError> {
        let known = self.kept.iter().position(|kept| kept.path == path);
        let place = known.unwrap_or_else(|| {
            let source = Source::new(self.paths.host(path));
            self.kept.push(Kept { path, source, read: None });
            self.kept.len() - 1
        });
        let kept = &mut self.kept[place];
        let there = match kept.read {
            Some(there) => there,
            None => kept.source.read()?.is_some(),
        };
        kept.read = Some(there);
        Ok(there.then_some(&kept.source.buffer))
    }

    /// The error for a file in which `what` is missing.
    pub fn lacks(&self, path: &str, what: &'static str) -> CollectError {
        CollectError::Unknown { path: self.paths.host(path), what }
    }
}

/// A file under `/proc` or `/sys`, and the buffer for its content.
#[derive(Debug)]
pub struct Source {
    path: PathBuf,
    buffer: Vec<u8>,
}

impl Source {
    /// The file at `path`; nothing is opened yet.
    pub fn new(path: PathBuf) -> Self {
        // Most of them are this small; the buffer stays as large as it once was.
        Self { path, buffer: Vec::with_capacity(512) }
    }

    /// The same buffer for another file.
    pub fn turn_to(&mut self, path: &Path) {
        self.path.clear();
        self.path.push(path);
    }

    /// Whether the file can be opened.
    pub fn is_readable(&self) -> bool {
        File::open(&self.path).is_ok()
    }

    /// The content at this moment; `None` where there is no such file.
    pub fn read(&mut self) -> Result<Option<&[u8]>, CollectError> {
        self.buffer.clear();
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(source) => return Err(self.failed(source)),
        };
        match file.take(MOST_BYTES).read_to_end(&mut self.buffer) {
            Ok(_) => Ok(Some(&self.buffer)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(source) => Err(self.failed(source)),
        }
    }

    fn failed(&self, source: io::Error) -> CollectError {
        CollectError::Read { path: self.path.clone(), source }
    }

    /// The error for content in which `what` is missing.
    pub fn lacks(&self, what: &'static str) -> CollectError {
        CollectError::Unknown { path: self.path.clone(), what }
    }
}

/// Whether the kernel does not have a file, or has it and was told to leave out
/// what it is about, as pressure is.
fn is_absent(error: &io::Error) -> bool {
    let unsupported = Some(Errno::EOPNOTSUPP as i32);
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == unsupported
}

/// The fields of a line between blanks. The kernel writes ASCII here; a field
/// that is not even UTF-8 reads as empty, so that it parses as nothing.
pub fn fields(line: &[u8]) -> impl Iterator<Item = &str> {
    line.split(u8::is_ascii_whitespace)
        .filter(|field| !field.is_empty())
        .map(|field| std::str::from_utf8(field).unwrap_or_default())
}

/// The lines of a file.
pub fn lines(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    content.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_read_once_a_tick() {
        let root = tempfile::tempdir().unwrap();
        let mut files = Files::new(&Paths::installed(root.path()));
        assert!(files.read("/x").unwrap().is_none(), "no such file is no error");
        fs::write(root.path().join("x"), "one").unwrap();
        assert!(files.read("/x").unwrap().is_none(), "all of a tick see the same");
        files.next_tick();
        assert_eq!(files.read("/x").unwrap(), Some(&b"one"[..]));
        fs::write(root.path().join("x"), "two").unwrap();
        assert_eq!(files.read("/x").unwrap(), Some(&b"one"[..]));
        files.next_tick();
        assert_eq!(files.read("/x").unwrap(), Some(&b"two"[..]));
    }

    #[test]
    fn what_the_kernel_leaves_out_is_absent_and_what_it_forbids_is_not() {
        let absent = |errno: Errno| is_absent(&io::Error::from_raw_os_error(errno as i32));
        assert!(absent(Errno::ENOENT) && absent(Errno::EOPNOTSUPP));
        assert!(!absent(Errno::EACCES) && !absent(Errno::EIO));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_an_error_to_each_who_asks() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("x")).unwrap();
        let mut files = Files::new(&Paths::installed(root.path()));
        assert!(files.read("/x").is_err());
        assert!(files.read("/x").is_err());
    }
}

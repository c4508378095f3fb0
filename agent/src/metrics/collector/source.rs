//! Files of the kernel, read whole into one buffer that is used again at every
//! tick. A file that this kernel does not have is no error. One that the kernel makes as it is
//! read stays open: to open and close it costs more than to read it.
//!
//! What several collectors read is read once a tick: they ask `Files` for it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::CollectError;
use crate::platform::paths::Paths;

/// More than this is not read: no file that is read here comes near it.
const MOST_BYTES: usize = 8 << 20;

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
        Ok(there.then_some(kept.source.content()))
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
    /// The file, where it is one that the kernel makes anew for each who reads it from its start.
    open: Option<File>,
    buffer: Vec<u8>,
    /// How much of the buffer is content.
    filled: usize,
}

impl Source {
    /// The file at `path`; nothing is opened yet.
    pub fn new(path: PathBuf) -> Self {
        // Most of them are this small; the buffer stays as large as it once was.
        Self { path, open: None, buffer: vec![0; 512], filled: 0 }
    }

    /// The same buffer for another file.
    pub fn turn_to(&mut self, path: &Path) {
        self.path.clear();
        self.path.push(path);
        self.open = None;
    }

    /// Whether the file can be opened.
    pub fn is_readable(&self) -> bool {
        File::open(&self.path).is_ok()
    }

    /// The content at this moment; `None` where there is no such file.
    pub fn read(&mut self) -> Result<Option<&[u8]>, CollectError> {
        self.filled = 0;
        // What it was about may have gone, and have come again.
        if let Some(file) = self.open.take()
            && self.fill(&file).is_ok()
        {
            self.open = Some(file);
            return Ok(Some(self.content()));
        }
        let read = File::open(&self.path).and_then(|file| {
            self.fill(&file)?;
            // procfs and cgroupfs say of such files that they are empty.
            let kept = file.metadata()?.len() == 0 && self.filled > 0;
            self.open = kept.then_some(file);
            Ok(())
        });
        match read {
            Ok(()) => Ok(Some(self.content())),
            Err(error) if is_absent(&error) => Ok(None),
            Err(source) => Err(self.failed(source)),
        }
    }

    fn content(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }

    /// Reads a file from its start to its end.
    fn fill(&mut self, file: &File) -> io::Result<()> {
        self.filled = 0;
        while self.filled < MOST_BYTES {
            if self.filled == self.buffer.len() {
                self.buffer.resize(2 * self.filled, 0);
            }
            match file.read_at(&mut self.buffer[self.filled..], self.filled as u64) {
                Ok(0) => break,
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
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
    fn what_the_kernel_makes_is_opened_once_and_read_anew() {
        let mut uptime = Source::new("/proc/uptime".into());
        let mut own = Source::new("/proc/self/stat".into());
        let first = uptime.read().unwrap().unwrap().to_vec();
        assert!(uptime.open.is_some());
        let first_of_own = own.read().unwrap().unwrap().to_vec();
        while uptime.read().unwrap().unwrap() == first {
            std::hint::spin_loop();
        }
        assert!(own.read().unwrap().unwrap().starts_with(&first_of_own[..1]));
        own.turn_to(Path::new("/proc/uptime"));
        assert_eq!(fields(own.read().unwrap().unwrap()).count(), 2);
    }

    #[test]
    fn a_file_that_is_replaced_is_read_anew() {
        let root = tempfile::tempdir().unwrap();
        let (path, next) = (root.path().join("x"), root.path().join("y"));
        fs::write(&path, "one").unwrap();
        let mut source = Source::new(path.clone());
        assert_eq!(source.read().unwrap(), Some(&b"one"[..]));
        assert!(source.open.is_none());
        fs::write(&next, "another").unwrap();
        fs::rename(&next, &path).unwrap();
        assert_eq!(source.read().unwrap(), Some(&b"another"[..]));
    }

    #[test]
    fn a_file_larger_than_the_buffer_is_read_whole() {
        let root = tempfile::tempdir().unwrap();
        let text = "0123456789".repeat(1000);
        fs::write(root.path().join("x"), &text).unwrap();
        let mut source = Source::new(root.path().join("x"));
        assert_eq!(source.read().unwrap(), Some(text.as_bytes()));
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

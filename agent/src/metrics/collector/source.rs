//! Files of the kernel, read whole into one buffer that is used again at every
//! tick. A file that this kernel does not have is no error.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use super::CollectError;

/// More than this is not read: no file that is read here comes near it.
const MOST_BYTES: u64 = 8 << 20;

/// A file under `/proc` or `/sys`, and the buffer for its content.
#[derive(Debug)]
pub struct Source {
    path: PathBuf,
    buffer: Vec<u8>,
}

impl Source {
    /// The file at `path`; nothing is opened yet.
    pub fn new(path: PathBuf) -> Self {
        Self { path, buffer: Vec::with_capacity(4096) }
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
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(self.failed(source)),
        };
        match file.take(MOST_BYTES).read_to_end(&mut self.buffer) {
            Ok(_) => Ok(Some(&self.buffer)),
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

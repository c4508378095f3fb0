//! Metrics that jobs of the host leave in files `*.prom`, such as when a backup
//! last succeeded. The names of the metrics about the files are node_exporter's.
//!
//! Whoever may write to the directory may write anything: each file is read
//! under the caps below, and one that is not right takes nothing but its own.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use super::labels::Labels;
use super::source::Files;
use super::{CollectError, Collector};
use crate::metrics::page::{Page, PageError, Reader, Rules};
use crate::metrics::sample::{Sample, label};
use crate::platform::paths::Paths;

/// More files, more bytes of one and of all of them, and more samples of all of
/// them are not taken.
const MOST_FILES: usize = 100;
const LARGEST_FILE: u64 = 1_000_000;
const MOST_BYTES: u64 = 4_000_000;
const MOST_SAMPLES: usize = 2000;

/// So many entries of the directory are looked at.
const MOST_ENTRIES: usize = 10_000;

/// Why a file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It could not be read.
    #[error("failed to read it")]
    Read(#[source] io::Error),
    /// It is a link, a pipe or the like.
    #[error("it is not a regular file")]
    Kind,
    /// It is too large, or the files before it have left nothing for it.
    #[error("it has more than {0} bytes")]
    Bytes(u64),
    /// There are more files than there may be.
    #[error("there are more than {MOST_FILES} files")]
    Files,
    /// What it holds is not right.
    #[error("failed to read what it holds")]
    Page(#[source] PageError),
    /// A file before it has the same.
    #[error("another file has a series that it has")]
    Twice,
}

/// The collector of metrics in files.
#[derive(Debug)]
pub struct Textfile {
    /// The directory as it was configured, and where it is.
    directory: Option<(PathBuf, PathBuf)>,
    labels: Labels,
}

impl Textfile {
    /// A collector of the files of a directory below `paths`.
    pub fn new(directory: Option<&str>, paths: &Paths) -> Self {
        let directory = directory.map(|text| (text.into(), paths.host(text)));
        Self { directory, labels: Labels::default() }
    }
}

impl Collector for Textfile {
    fn collect(&mut self, _: &mut Files, out: &mut Vec<Sample>) -> Result<(), CollectError> {
        let Some((shown, directory)) = &self.directory else { return Ok(()) };
        let mut all = All::default();
        let mut result = Ok(());
        let names = named(directory).unwrap_or_else(|source| {
            result = Err(CollectError::Read { path: shown.clone(), source });
            Vec::new()
        });
        for name in names {
            let path = shown.join(&name);
            match all.read(&directory.join(&name), &mut self.labels) {
                Ok((page, changed)) => {
                    all.refused += page.refused;
                    out.extend(page.samples);
                    let labels = vec![label("file", self.labels.get(&path.to_string_lossy()))];
                    out.push(Sample::gauge("node_textfile_mtime_seconds", labels, changed));
                }
                // The first is told; the others are told once that is mended.
                Err(source) if result.is_ok() => {
                    result = Err(CollectError::Textfile { path, source });
                }
                Err(_) => {}
            }
        }
        let failed = f64::from(u8::from(result.is_err()));
        out.push(Sample::gauge("node_textfile_scrape_error", vec![], failed));
        let refused = all.refused as f64;
        out.push(Sample::gauge("gild_textfile_samples_refused", vec![], refused));
        result
    }
}

/// The names of the files to read, sorted.
fn named(directory: &Path) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)?.take(MOST_ENTRIES) {
        let name = entry?.file_name();
        if Path::new(&name).extension().is_some_and(|extension| extension == "prom") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// What the files of one tick have come to.
#[derive(Default)]
struct All {
    files: usize,
    bytes: u64,
    samples: usize,
    refused: usize,
    series: HashSet<u64>,
}

impl All {
    /// What a file holds, and when it was last changed.
    fn read(&mut self, path: &Path, words: &mut Labels) -> Result<(Page, f64), FileError> {
        self.files += 1;
        if self.files > MOST_FILES {
            return Err(FileError::Files);
        }
        let room = LARGEST_FILE.min(MOST_BYTES - self.bytes);
        let (file, changed) = open(path, room)?;
        let rules = Rules {
            include: vec!["*".to_owned()],
            most_samples: MOST_SAMPLES - self.samples,
            // A time from long ago would look like now.
            untimed: true,
            ..Rules::default()
        };
        let mut reader = Reader::new(&rules, words);
        // Should it grow meanwhile, it ends within a line.
        let mut file = file.take(room);
        let mut buffer = [0; 4096];
        loop {
            let length = file.read(&mut buffer).map_err(FileError::Read)?;
            self.bytes += length as u64;
            match length {
                0 => break,
                _ => reader.read(&buffer[..length]).map_err(FileError::Page)?,
            }
        }
        let page = reader.finish().map_err(FileError::Page)?;
        if !self.series.is_disjoint(&page.series) {
            return Err(FileError::Twice);
        }
        self.series.extend(&page.series);
        self.samples += page.samples.len();
        Ok((page, changed))
    }
}

fn open(path: &Path, room: u64) -> Result<(File, f64), FileError> {
    // A pipe in the place of a file must not make the reader wait for a writer.
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path);
    let file = file.map_err(|error| match error.raw_os_error() {
        Some(code) if code == nix::errno::Errno::ELOOP as i32 => FileError::Kind,
        _ => FileError::Read(error),
    })?;
    let metadata = file.metadata().map_err(FileError::Read)?;
    if !metadata.is_file() {
        return Err(FileError::Kind);
    }
    if metadata.len() > room {
        return Err(FileError::Bytes(room));
    }
    Ok((file, metadata.mtime() as f64 + metadata.mtime_nsec() as f64 / 1e9))
}

#[cfg(test)]
mod tests;

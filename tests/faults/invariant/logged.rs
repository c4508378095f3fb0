//! No secret is in the log, in a file below the root, or in what the system shows of the process.
//! What the socket shows is looked at by `watch`.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Invariant;
use crate::fault::FILLER;
use crate::life::Stage;
use crate::secrets;

/// A secret may lie across the end of what was read last.
const OVERLAP: u64 = 256;

pub(super) struct Logged {
    forms: Vec<String>,
    read: u64,
    files: usize,
}

impl Default for Logged {
    fn default() -> Self {
        Self { forms: secrets::forms(), read: 0, files: 0 }
    }
}

impl Logged {
    fn clean(&self, what: &Path, text: &[u8]) -> Result<(), String> {
        match secrets::found(text, &self.forms) {
            Some(secret) => Err(format!("'{secret}' is in {}", what.display())),
            None => Ok(()),
        }
    }
}

impl Invariant for Logged {
    fn period(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn look(&mut self, stage: &mut Stage) -> Result<(), String> {
        let log = stage.estate.log();
        let mut file = File::open(&log).unwrap();
        file.seek(SeekFrom::Start(self.read.saturating_sub(OVERLAP))).unwrap();
        let mut text = Vec::new();
        file.read_to_end(&mut text).unwrap();
        self.read = file.stream_position().unwrap();
        self.clean(&log, &text)?;
        if String::from_utf8_lossy(&text).contains("panicked at") {
            return Err("it panicked".to_owned());
        }
        for name in ["cmdline", "environ"] {
            let path = PathBuf::from(format!("/proc/{}/{name}", stage.process()));
            self.clean(&path, &fs::read(&path).unwrap_or_default())?;
        }
        let root = stage.estate.root();
        for path in below(&root) {
            let is_place = secrets::PLACES.iter().any(|place| path.starts_with(root.join(place)));
            if is_place || path.ends_with(FILLER) {
                continue;
            }
            // It may be gone by now.
            let Ok(bytes) = fs::read(&path) else { continue };
            self.files += 1;
            self.clean(&path, &bytes)?;
        }
        Ok(())
    }

    fn figure(&self, _: &Stage) -> String {
        format!("searched for secrets: {} bytes of log, {} files", self.read, self.files)
    }
}

/// All files below a directory; links lead elsewhere.
pub(super) fn below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files.extend(below(&entry.path())),
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
    files
}

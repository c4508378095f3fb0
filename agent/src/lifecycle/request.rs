//! The daemon asks for the instance to be drained. It has no right to do so
//! itself: it leaves a file in its own directory, and systemd, which waits for
//! that file, starts `gild drain` as root.
//!
//! Whoever runs as the daemon's user writes what stands there, so it decides
//! nothing but why the instance is drained and how long there is.

use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use serde_json::{Value, json};

use super::settings::Occasion;
use crate::platform::clock;
use crate::platform::fs::{Access, read_capped, write_atomic};
use crate::platform::paths::Paths;

/// What is asked for fits well.
const MAX_BYTES: u64 = 4 << 10;

/// What the daemon asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrainRequest {
    /// Why the instance is to be drained.
    pub occasion: Occasion,
    /// When the instance goes, where that is known.
    pub until: Option<SystemTime>,
}

/// A request that could not be made or understood.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// It could not be written.
    #[error("failed to ask for this instance to be drained by '{}'", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It could not be read.
    #[error("failed to read what asks for this instance to be drained from '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not what it should be. What stands there instead is not shown: it could be
    /// any file, by a link.
    #[error("failed to understand what asks for this instance to be drained in '{}'", .0.display())]
    Meaning(PathBuf),
}

impl DrainRequest {
    /// Asks.
    pub fn write(&self, paths: &Paths) -> Result<(), RequestError> {
        let path = paths.drain_wanted();
        let body = json!({
            "occasion": self.occasion.word(),
            "until": self.until.map(clock::text),
        });
        write_atomic(&path, body.to_string().as_bytes(), Access::Owner)
            .map_err(|source| RequestError::Write { path, source })
    }

    /// What is asked for; `None` where nobody asks.
    pub fn read(paths: &Paths) -> Result<Option<Self>, RequestError> {
        let path = paths.drain_wanted();
        match read_capped(&path, MAX_BYTES) {
            Ok(None) => Ok(None),
            Ok(Some(bytes)) => parse(&bytes).map(Some).ok_or(RequestError::Meaning(path)),
            Err(source) => Err(RequestError::Read { path, source }),
        }
    }
}

fn parse(bytes: &[u8]) -> Option<DrainRequest> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let occasion = value["occasion"].as_str().and_then(Occasion::named)?;
    let until = match &value["until"] {
        Value::Null => None,
        until => Some(humantime::parse_rfc3339(until.as_str()?).ok()?),
    };
    // These are what the daemon can know of; how the host goes down, systemd says.
    matches!(occasion, Occasion::Spot | Occasion::Terminate)
        .then_some(DrainRequest { occasion, until })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn what_is_asked_for_is_what_is_read() {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::installed(root.path());
        assert_eq!(DrainRequest::read(&paths).unwrap(), None);
        std::fs::create_dir_all(paths.drain_wanted().parent().unwrap()).unwrap();
        let until = Some(UNIX_EPOCH + Duration::from_secs(1_800_000_000));
        for (occasion, until) in [(Occasion::Spot, until), (Occasion::Terminate, None)] {
            let request = DrainRequest { occasion, until };
            request.write(&paths).unwrap();
            assert_eq!(DrainRequest::read(&paths).unwrap(), Some(request));
        }
    }

    #[test]
    fn what_is_no_request_is_refused_without_being_shown() {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::installed(root.path());
        let file = paths.drain_wanted();
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let deep = "[".repeat(4000);
        let long = format!("{{\"occasion\": \"spot\", \"x\": \"{}\"}}", "x".repeat(5000));
        for text in [
            "",
            "hunter22",
            "[\"spot\"]",
            "{}",
            "{\"occasion\": \"reboot\"}",
            "{\"occasion\": \"stop\"}",
            "{\"occasion\": 1}",
            "{\"occasion\": \"spot\", \"until\": 7}",
            "{\"occasion\": \"spot\", \"until\": \"9999999-01-01T00:00:00Z\"}",
            &deep,
            &long,
        ] {
            std::fs::write(&file, text).unwrap();
            let error = DrainRequest::read(&paths).unwrap_err();
            assert!(!format!("{error:?}").contains("hunter22"), "{error:?}");
        }
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
        assert!(DrainRequest::read(&paths).is_err());
    }
}

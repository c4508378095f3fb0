//! The daemon's word that the instance is to be drained. The daemon has no right
//! to drain it; it leaves this in its own directory, and systemd, which waits
//! for the file, starts what drains. That runs as root and must take the file
//! for what it is: the word of another user.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::{Value, json};

use super::notice::{Notices, TargetState};
use super::settings::Occasion;
use crate::platform::clock;
use crate::platform::fs::{Access, read_capped, write_atomic};

/// No request is larger.
const LARGEST: u64 = 4 << 10;

/// Why the instance is to be drained, and how long there is for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrainRequest {
    /// Why: its spot capacity is taken back, or its group ends it.
    pub occasion: Occasion,
    /// When the instance is taken away, where that is known.
    pub until: Option<SystemTime>,
}

/// A request could not be left or taken up.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// It cannot be written.
    #[error("failed to write a request to drain to '{}'", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It cannot be read.
    #[error("failed to read the request to drain in '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not a request. What it is instead is not quoted.
    #[error("what is in '{}' is not a request to drain", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

impl DrainRequest {
    /// What the notices ask for; `None` where nothing ends the instance.
    pub fn of(notices: &Notices) -> Option<Self> {
        if let Some(spot) = &notices.spot {
            let until = humantime::parse_rfc3339(&spot.time).ok();
            return Some(Self { occasion: Occasion::Spot, until });
        }
        let ending = notices.target_state.as_ref().is_some_and(TargetState::is_ending);
        ending.then_some(Self { occasion: Occasion::Terminate, until: None })
    }

    /// Leaves the request at `path`, whole.
    pub fn write(&self, path: &Path) -> Result<(), RequestError> {
        let until = self.until.map(clock::text);
        let text = json!({ "occasion": self.occasion.word(), "until": until }).to_string();
        write_atomic(path, text.as_bytes(), Access::Owner)
            .map_err(|source| RequestError::Write { path: path.to_owned(), source })
    }

    /// Reads the request at `path`; `None` where there is none.
    pub fn read(path: &Path) -> Result<Option<Self>, RequestError> {
        let bytes = read_capped(path, LARGEST)
            .map_err(|source| RequestError::Read { path: path.to_owned(), source })?;
        let malformed = || RequestError::Malformed { path: path.to_owned() };
        bytes.map(|bytes| parse(&bytes).ok_or_else(malformed)).transpose()
    }
}

fn parse(bytes: &[u8]) -> Option<DrainRequest> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let occasion = match value.get("occasion")?.as_str()? {
        "spot" => Occasion::Spot,
        "terminate" => Occasion::Terminate,
        _ => return None,
    };
    let until = match value.get("until") {
        None | Some(Value::Null) => None,
        Some(until) => Some(humantime::parse_rfc3339(until.as_str()?).ok()?),
    };
    Some(DrainRequest { occasion, until })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use super::*;
    use crate::lifecycle::notice;

    #[test]
    fn a_request_is_read_as_it_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("drain");
        assert_eq!(DrainRequest::read(&path).unwrap(), None);
        let until = humantime::parse_rfc3339("2026-09-18T08:22:00Z").ok();
        for (request, text) in [
            (
                DrainRequest { occasion: Occasion::Spot, until },
                r#"{"occasion":"spot","until":"2026-09-18T08:22:00.000Z"}"#,
            ),
            (
                DrainRequest { occasion: Occasion::Terminate, until: None },
                r#"{"occasion":"terminate","until":null}"#,
            ),
        ] {
            request.write(&path).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(DrainRequest::read(&path).unwrap(), Some(request));
        }
    }

    #[test]
    fn what_is_no_request_is_refused_and_not_quoted() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("drain");
        let deep = "[".repeat(4000);
        for text in [
            "",
            "hush",
            "[]",
            r#"{"occasion":"hush"}"#,
            r#"{"occasion":"stop","until":null}"#,
            r#"{"occasion":"spot","until":"hush"}"#,
            r#"{"occasion":"spot","until":7}"#,
            &deep,
        ] {
            fs::write(&path, text).unwrap();
            let error = DrainRequest::read(&path).unwrap_err();
            assert!(matches!(error, RequestError::Malformed { .. }), "{text}: {error:?}");
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        }
        fs::write(&path, " ".repeat(5000)).unwrap();
        assert!(matches!(DrainRequest::read(&path), Err(RequestError::Read { .. })));
    }

    #[test]
    fn only_what_ends_the_instance_asks_for_it_to_be_drained() {
        let spot = notice::spot(r#"{"action": "hibernate", "time": "2026-09-18T08:22:00Z"}"#);
        let until = humantime::parse_rfc3339("2026-09-18T08:22:00Z").ok();
        let by_spot = Some(DrainRequest { occasion: Occasion::Spot, until });
        let by_group = Some(DrainRequest { occasion: Occasion::Terminate, until: None });
        for (spot, state, expected) in [
            (&spot, "InService", by_spot),
            (&spot, "Terminated", by_spot),
            (&None, "Terminated", by_group),
            (&None, "Warmed:Terminated", by_group),
            (&None, "Warmed:Stopped", None),
            (&None, "InService", None),
        ] {
            let target_state = notice::target_state(state);
            let notices = Notices { spot: spot.clone(), target_state, ..Notices::default() };
            assert_eq!(DrainRequest::of(&notices), expected, "{state}");
        }
        let time = Some("2026-09-18T08:22:00Z".to_owned());
        assert_eq!(DrainRequest::of(&Notices { rebalance: time, ..Notices::default() }), None);
    }

    #[test]
    fn without_the_directory_nothing_is_asked_for() {
        let directory = tempfile::tempdir().unwrap();
        let request = DrainRequest { occasion: Occasion::Spot, until: None };
        let error = request.write(&directory.path().join("none/drain")).unwrap_err();
        assert!(matches!(error, RequestError::Write { .. }));
    }
}

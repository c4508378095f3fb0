//! What the last step was run with. It outlives a reboot and is baked into
//! images made from a running host; so it says whose it is.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::report::{Failure, Outcome};
use crate::platform::fs::{Access, create_dir, read_capped, write_atomic};

/// No state is larger.
const LARGEST: u64 = 256 << 10;

/// The state cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("failed to write the state '{}'", path.display())]
pub struct StateError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// What a step is run with; equal keys have nothing to do anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepKey {
    /// The instance.
    pub instance_id: String,
    /// The boot, as the kernel names it.
    pub boot_id: String,
    /// The configuration's digest.
    pub digest: String,
    /// The playbook's digest; `None` where there is no playbook.
    pub playbook_digest: Option<String>,
}

/// A step that failed, after which the one before it was run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolledBack {
    /// Why it failed.
    pub failure: Failure,
    /// What is in force instead, in words.
    pub problem: String,
}

/// What the last step was run with, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// What it was run with.
    #[serde(flatten)]
    pub key: StepKey,
    /// What came of it; `running` where it did not come to an end, `degraded` where
    /// it failed and was rolled back.
    pub outcome: Outcome,
    /// Why it was rolled back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back: Option<RolledBack>,
    /// When this was written, RFC 3339.
    pub at: String,
}

/// What is found on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Previous {
    /// No state.
    Absent,
    /// Something that is no state, and why it is none.
    Damaged(String),
    /// A state.
    Found(State),
}

impl State {
    /// Reads the state.
    pub fn load(path: &Path) -> Previous {
        let bytes = match read_capped(path, LARGEST) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Previous::Absent,
            Err(error) => return Previous::Damaged(error.to_string()),
        };
        match serde_json::from_slice(&bytes) {
            Ok(state) => Previous::Found(state),
            Err(error) => Previous::Damaged(error.to_string()),
        }
    }

    /// Writes the state, for its owner alone.
    pub fn save(&self, path: &Path) -> Result<(), StateError> {
        let write = || {
            if let Some(parent) = path.parent() {
                create_dir(parent, 0o755)?;
            }
            write_atomic(path, &serde_json::to_vec(self)?, Access::Owner)
        };
        write().map_err(|source| StateError { path: path.to_owned(), source })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn state() -> State {
        State {
            key: StepKey {
                instance_id: "i-1".to_owned(),
                boot_id: "b".to_owned(),
                digest: "d".to_owned(),
                playbook_digest: None,
            },
            outcome: Outcome::Ready,
            rolled_back: None,
            at: "2026-11-22T10:00:00.000Z".to_owned(),
        }
    }

    #[test]
    fn what_is_saved_is_found_by_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("gild/state.json");
        assert_eq!(State::load(&path), Previous::Absent);
        state().save(&path).unwrap();
        assert_eq!(State::load(&path), Previous::Found(state()));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_state_is_told_from_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.json");
        for damaged in ["", "{", "[]", "{\"instance_id\":1}"] {
            std::fs::write(&path, damaged).unwrap();
            assert!(matches!(State::load(&path), Previous::Damaged(_)), "{damaged}");
        }
    }
}

//! What came of draining, in `/run/gild/drain.json`: so that it is done once in
//! a boot, that what was broken off is gone on with, and that everybody can see
//! it. A step is written down before it is started.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::identity::host;
use crate::lifecycle::settings::Occasion;
use crate::platform::clock;
use crate::platform::fs::{Access, read_capped, write_atomic};
use crate::platform::paths::Paths;

/// The version of the format.
pub const VERSION: u32 = 1;

/// As many steps as anybody has fit well.
const MAX_BYTES: u64 = 256 << 10;

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// It runs.
    Running,
    /// It did what it should.
    Ok,
    /// It ended with an error, or could not be started.
    Failed,
    /// It did not end in time and was killed.
    TimedOut,
    /// It was broken off, because gild was.
    Interrupted,
    /// It was not started: there was no time left.
    Skipped,
}

impl StepOutcome {
    /// The word for it, for people.
    pub fn word(self) -> &'static str {
        match self {
            StepOutcome::Running => "running",
            StepOutcome::Ok => "ok",
            StepOutcome::Failed => "failed",
            StepOutcome::TimedOut => "timed out",
            StepOutcome::Interrupted => "interrupted",
            StepOutcome::Skipped => "skipped",
        }
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Its name.
    pub name: String,
    /// What became of it.
    pub outcome: StepOutcome,
    /// How long it took.
    pub duration_ms: f64,
    /// What went wrong. Everybody may read it, so no output of the step is in it.
    pub message: Option<String>,
}

/// What came of draining.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The version of this format.
    pub version: u32,
    /// The boot, as the kernel names it.
    pub boot_id: Option<String>,
    /// Why: "spot", "terminate", "stop" or "reboot".
    pub occasion: String,
    /// When it began, RFC 3339.
    pub started_at: String,
    /// When all of it was over; null before that.
    pub ended_at: Option<String>,
    /// The steps that were due, so far.
    pub steps: Vec<StepRecord>,
}

/// The record cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It could not be read.
    #[error("failed to read what came of draining from '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It could not be written.
    #[error("failed to write what came of draining to '{}'", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Record {
    /// Nothing has been done yet.
    pub(super) fn begun(occasion: Occasion, boot_id: Option<String>) -> Self {
        Self {
            version: VERSION,
            boot_id,
            occasion: occasion.word().to_owned(),
            started_at: clock::now_text(),
            ended_at: None,
            steps: Vec::new(),
        }
    }

    /// What is there; `None` where nothing has been drained.
    pub fn load(paths: &Paths) -> Result<Option<Self>, RecordError> {
        let path = paths.drained();
        let read = || match read_capped(&path, MAX_BYTES)? {
            Some(bytes) => Ok(Some(serde_json::from_slice::<Self>(&bytes)?)),
            None => Ok(None),
        };
        read().map_err(|source| RecordError::Read { path: path.clone(), source })
    }

    /// Whether it is of this boot: `/run` may outlive one in a container.
    pub(super) fn is_of_this_boot(&self, paths: &Paths) -> bool {
        self.boot_id == host::boot_id(paths)
    }

    /// Writes the record, whole or not at all.
    pub(super) fn save(&self, paths: &Paths) -> Result<(), RecordError> {
        let path = paths.drained();
        let write = || write_atomic(&path, &serde_json::to_vec(self)?, Access::All);
        write().map_err(|source| RecordError::Write { path, source })
    }

    /// Goes on with what was broken off: what ran then may have done its work, and is not
    /// run again; what was never started is due.
    pub(super) fn go_on(&mut self) {
        self.steps.retain(|step| step.outcome != StepOutcome::Skipped);
        for step in &mut self.steps {
            if step.outcome == StepOutcome::Running {
                step.outcome = StepOutcome::Interrupted;
                step.message = Some("gild ended while it ran".to_owned());
            }
        }
    }

    /// Whether a step has been dealt with.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.steps.iter().any(|step| step.name == name)
    }

    /// The steps that did not do what they should.
    pub fn failed(&self) -> impl Iterator<Item = &StepRecord> {
        self.steps.iter().filter(|step| step.outcome != StepOutcome::Ok)
    }
}

//! One boot from beginning to end: resolve, hand off, decide, run the step,
//! report. `gild configure` and `gild up` are this, with other ears.
//!
//! The report is written at each phase, so that whoever asks meanwhile, or
//! after a crash, finds how far the boot had come.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::handoff::{self, Handoff};
use super::lock::Lock;
use super::policy;
use super::report::{Decision, Failure, Outcome, Phase, PhaseOutcome, Report, TaskReport};
use super::state::State;
use super::step::{Step, StepResult};
use crate::config::secret::SecretRef;
use crate::platform::paths::Paths;
use crate::platform::{clock, error};
use crate::scope::{Context, Resolution, Secrets, Verdict, resolve};

/// How long all secrets of a boot may take together.
const SECRETS_BUDGET: Duration = Duration::from_secs(30);

/// What a boot is told.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Run the step whatever the policy says.
    pub force: bool,
    /// Change nothing: only show what the step would do.
    pub plan: bool,
    /// The directory that a relative playbook path is below.
    pub base: Option<PathBuf>,
}

/// Who follows a boot as it happens.
pub trait Watcher {
    /// The configuration is known.
    fn resolved(&mut self, resolution: &Resolution);
    /// Whether the step runs, and why.
    fn decided(&mut self, decision: &Decision);
    /// A task of the step is over.
    fn task(&mut self, task: &TaskReport);
}

/// A boot that could not even leave a report.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// A directory could not be made.
    #[error("failed to make the directory '{path}'")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another configuration step is running, or the lock cannot be had.
    #[error("failed to take the lock of the configuration step")]
    Lock(#[source] super::lock::LockError),
    /// The report could not be written.
    #[error("failed to leave a report")]
    Report(#[source] super::report::ReportError),
}

//! The attempts of a step, as the report lists them: the step, the step again, and
//! the way back to what succeeded before.

use serde::{Deserialize, Serialize};

use super::report::Failure;

/// What an attempt was of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttemptOf {
    /// The step.
    Step,
    /// The way back to the last good playbook and configuration.
    Rollback,
}

/// One run of the step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// What it was of.
    pub of: AttemptOf,
    /// How long it took.
    pub duration_ms: f64,
    /// Why it failed; `None` where it succeeded.
    pub failure: Option<Failure>,
}

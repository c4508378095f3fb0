//! What the callback plugin tells, one JSON object a line, and what a reader is
//! told while the step runs.
//!
//! To add an event: a `send` in `callback.py`, a variant here, an arm in
//! `recorder`.

use serde::Deserialize;

use super::report::{TaskOutcome, TaskReport};

/// What a reader may be told while the step runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// A play began.
    Play(String),
    /// A task began.
    Started(String),
    /// A task ended. It is in the result of the step too.
    Ended(TaskReport),
}

/// One line of the callback plugin.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(crate) enum Event {
    /// The plugin is at work.
    Begin {
        /// The version of ansible-core.
        ansible: String,
    },
    /// A play begins.
    Play { name: String },
    /// A task begins.
    Task {
        name: String,
        action: String,
        /// Whether it runs because another one failed.
        #[serde(default)]
        rescue: bool,
    },
    /// A task ended.
    Result {
        name: String,
        action: String,
        /// Whether it runs because another one failed.
        #[serde(default)]
        rescue: bool,
        outcome: TaskOutcome,
        duration_ms: f64,
        message: Option<String>,
    },
    /// No host was left to run on.
    Empty,
    /// What a newer plugin may say.
    #[serde(other)]
    Other,
}

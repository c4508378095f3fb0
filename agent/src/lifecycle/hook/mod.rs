//! Lifecycle hooks: an autoscaling group that waits is told how its instance
//! fares. Heartbeats go while the configuration step runs; CONTINUE or ABANDON
//! follows its outcome.
//!
//! All of it runs beside what it tells of, and nothing of it can fail or delay
//! that. `find` says whether a hook waits, `signal` answers it, both by the one
//! `api`; `waiting` is a boot's, `keeper` the daemon's, `ending` the end's part.
//! Another call of the API is one variant of `api::Call` and its arm.

/// The calls of the Auto Scaling API.
pub mod api;
/// The end of an instance.
pub mod ending;
/// Whether a hook waits, and which.
pub mod find;
/// What the daemon owes the group.
pub mod keeper;
/// Answers to the hooks that wait.
mod signal;
/// Services that make an instance useless.
pub mod unhealthy;
/// A boot that is waited for.
pub mod waiting;

use serde::{Deserialize, Serialize};

use crate::configure::report::Outcome;

pub use ending::{complete_terminating, keep_terminating};

/// Which end of an instance's life a hook waits at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It enters the group, or its warm pool.
    Launch,
    /// It leaves.
    Terminate,
}

impl Side {
    /// The API's word for the transition that a hook belongs to.
    fn transition(self) -> &'static str {
        match self {
            Side::Launch => "autoscaling:EC2_INSTANCE_LAUNCHING",
            Side::Terminate => "autoscaling:EC2_INSTANCE_TERMINATING",
        }
    }
}

/// What a group is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Word {
    /// The instance can go on.
    Continue,
    /// The instance is of no use.
    Abandon,
}

impl Word {
    /// The word for the outcome of a boot; `None` where it is not over.
    pub fn of(outcome: Outcome) -> Option<Self> {
        match outcome {
            Outcome::Running => None,
            Outcome::Ready | Outcome::Degraded => Some(Word::Continue),
            Outcome::Failed => Some(Word::Abandon),
        }
    }

    /// The API's word.
    pub fn text(self) -> &'static str {
        match self {
            Word::Continue => "CONTINUE",
            Word::Abandon => "ABANDON",
        }
    }
}

/// What a group was told, as the report of a boot shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookReport {
    /// The hooks, separated by commas. Empty where none could be found out.
    pub hook: String,
    /// The group.
    pub group: String,
    /// The state that the instance was in, such as `Pending:Wait`.
    pub state: String,
    /// What the group was told; `None` where it does not know yet.
    pub result: Option<Word>,
    /// How many heartbeats it accepted.
    pub heartbeats: u32,
    /// Why it could not be told: the whole chain.
    pub error: Option<String>,
    /// Whether the daemon is to tell it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub owed: bool,
}

//! How a step ended, and all that came of it. Whether it is worth another attempt,
//! and whether it is rolled back, follows from this.

use std::time::Duration;

use super::attempt::Attempt;
use super::process::End;
use super::report::{Failure, TaskReport};

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// As it should.
    Well,
    /// In a way that another attempt may not: a task failed, or the engine did.
    Failed,
    /// In a way that every other attempt would: it could not be begun, or its
    /// time was used up.
    ForGood,
    /// It was told to stop.
    Interrupted,
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepResult {
    /// The tasks of its last attempt.
    pub tasks: Vec<TaskReport>,
    /// Why it failed; `None` where it succeeded.
    pub failure: Option<Failure>,
    /// How its last attempt ended.
    pub ended: Ended,
    /// Its attempts, the last one among them.
    pub attempts: Vec<Attempt>,
    /// What ran it: `ansible` or `exec`.
    pub engine: &'static str,
    /// How long that ran, in all attempts, each from its start to its exit; `None` where
    /// it never did.
    pub took: Option<Duration>,
    /// The version of ansible-core, where it said so.
    pub ansible: Option<String>,
    /// Whether something was installed into the playbook's directory.
    pub installed: bool,
}

impl StepResult {
    /// A step that could not be begun.
    pub(crate) fn unable(engine: &'static str, failure: Failure) -> Self {
        let ran = Ran { failure: Some(failure), ..Ran::new(Ended::ForGood) };
        Self { took: None, ..Self::of(engine, ran) }
    }

    /// What came of one run of an engine.
    pub(crate) fn of(engine: &'static str, ran: Ran) -> Self {
        let Ran { tasks, failure, ended, took, ansible, installed } = ran;
        let (took, attempts) = (Some(took), Vec::new());
        Self { tasks, failure, ended, attempts, engine, took, ansible, installed }
    }
}

/// What came of one run of an engine.
pub(crate) struct Ran {
    /// The tasks.
    pub(crate) tasks: Vec<TaskReport>,
    /// Why it failed.
    pub(crate) failure: Option<Failure>,
    /// How it ended.
    pub(crate) ended: Ended,
    /// How long it ran.
    pub(crate) took: Duration,
    /// The version of ansible-core.
    pub(crate) ansible: Option<String>,
    /// Whether something was installed into the playbook's directory.
    pub(crate) installed: bool,
}

impl Ran {
    /// A run without tasks.
    pub(crate) fn new(ended: Ended) -> Self {
        Self {
            tasks: Vec::new(),
            failure: None,
            ended,
            took: Duration::ZERO,
            ansible: None,
            installed: false,
        }
    }
}

impl From<End> for Ended {
    fn from(end: End) -> Self {
        match end {
            End::Exited(status) if status.success() => Ended::Well,
            End::Exited(_) => Ended::Failed,
            End::TimedOut => Ended::ForGood,
            End::Interrupted => Ended::Interrupted,
        }
    }
}

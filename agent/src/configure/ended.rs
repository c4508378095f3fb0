//! How a step ended, and all that came of it. Whether it is worth another attempt,
//! and whether it is rolled back, follows from this.

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
    /// The version of ansible-core, where it said so.
    pub ansible: Option<String>,
    /// Whether something was installed into the playbook's directory.
    pub installed: bool,
}

impl StepResult {
    /// A step that could not be begun.
    pub(crate) fn unable(engine: &'static str, failure: Failure) -> Self {
        Self::of(engine, Ran { failure: Some(failure), ..Ran::new(Ended::ForGood) })
    }

    /// What came of one run of an engine.
    pub(crate) fn of(engine: &'static str, ran: Ran) -> Self {
        let Ran { tasks, failure, ended, ansible, installed } = ran;
        Self { tasks, failure, ended, attempts: Vec::new(), engine, ansible, installed }
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
    /// The version of ansible-core.
    pub(crate) ansible: Option<String>,
    /// Whether something was installed into the playbook's directory.
    pub(crate) installed: bool,
}

impl Ran {
    /// A run without tasks.
    pub(crate) fn new(ended: Ended) -> Self {
        Self { tasks: Vec::new(), failure: None, ended, ansible: None, installed: false }
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

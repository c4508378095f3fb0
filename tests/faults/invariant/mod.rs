//! What holds all along, whatever happens. A new invariant is a file with a type that implements
//! the trait, and a line in the list.

mod alive;
mod answers;
mod bounds;
mod files;
mod logged;
mod ticks;

use std::time::Duration;

use crate::life::Stage;

/// Something that always holds.
pub(crate) trait Invariant {
    /// How often it is looked at.
    fn period(&self) -> Duration {
        Duration::from_millis(100)
    }

    /// Looks; says what is broken.
    fn look(&mut self, stage: &mut Stage) -> Result<(), String>;

    /// Looks when all is over and has healed.
    fn at_end(&mut self, stage: &mut Stage) -> Result<(), String> {
        self.look(stage)
    }

    /// What it has seen, for the last word.
    fn figure(&self, stage: &Stage) -> String;
}

/// All of them.
pub(crate) fn all(limits: &Limits) -> Vec<Box<dyn Invariant>> {
    vec![
        Box::new(alive::Alive),
        Box::new(bounds::Bounds::new(limits)),
        Box::new(answers::Answers),
        Box::new(ticks::Ticks::default()),
        Box::new(logged::Logged::default()),
        Box::new(files::Files),
    ]
}

/// What gild may take. A run can be held to less, which shows that it can break.
#[derive(Debug)]
pub(crate) struct Limits {
    /// RSS with a full spool, as its design says it.
    pub(crate) rss_kib: f64,
    /// Files, sockets and all else that is open: 32 clients, 32 that are told to come later, one
    /// that was just let in, and 63 of its own.
    pub(crate) handles: f64,
    /// Until the status socket has answered.
    pub(crate) answer_ms: f64,
    /// Until all is well after the last fault, beside what a backlog takes: a sink waits up to a
    /// minute between two tries, and where credentials were refused, the first of them may come
    /// too early, within a minute of the last question for others, and the second still has those.
    pub(crate) heal_s: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { rss_kib: 16e6 / 1024.0, handles: 128.0, answer_ms: 100.0, heal_s: 210.0 }
    }
}

impl Limits {
    /// Sets one by its name.
    pub(crate) fn set(&mut self, name: &str, value: f64) -> Result<(), String> {
        let limit = match name {
            "rss_kib" => &mut self.rss_kib,
            "handles" => &mut self.handles,
            "answer_ms" => &mut self.answer_ms,
            "heal_s" => &mut self.heal_s,
            other => return Err(format!("there is no limit '{other}'")),
        };
        *limit = value;
        Ok(())
    }
}

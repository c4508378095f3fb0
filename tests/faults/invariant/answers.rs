//! The status socket answers in time, and shows no secret. What the client saw is in `watch`.

use super::Invariant;
use crate::life::Stage;

pub(super) struct Answers;

impl Invariant for Answers {
    fn look(&mut self, stage: &mut Stage) -> Result<(), String> {
        let wrong = &mut stage.watch.seen().wrong;
        if wrong.is_empty() { Ok(()) } else { Err(wrong.remove(0)) }
    }

    fn figure(&self, stage: &Stage) -> String {
        let seen = stage.watch.seen();
        format!("answers {}, slowest {:.1} ms", seen.answers, seen.worst_ms)
    }
}

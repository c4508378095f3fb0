//! The process lives, unless a fault has ended it, and answers soon after its start.

use super::Invariant;
use crate::life::Stage;

pub(super) struct Alive;

impl Invariant for Alive {
    fn look(&mut self, stage: &mut Stage) -> Result<(), String> {
        stage.wrong.take().map_or(Ok(()), Err)
    }

    fn figure(&self, stage: &Stage) -> String {
        let Stage { starts, killed, starved, .. } = stage;
        format!("starts {starts}, killed {killed}, ended for want of memory {starved}")
    }
}

//! Where the time of a boot goes. A phase begins where it is timed and ends with its
//! outcome; what lies between two phases is nobody's, and `gild blame` says how
//! much that is.
//!
//! To add a phase: `self.timed(name, begun, outcome)` after what it is, and its name in
//! the list at `report::Phase`.

use std::time::{Duration, Instant};

use super::phases::Boot;
use crate::configure::report::{EngineReport, Phase, PhaseOutcome};
use crate::configure::step::StepResult;
use crate::platform::clock;

impl Boot<'_> {
    /// A phase that is over.
    pub(super) fn phase(&mut self, name: &str, outcome: PhaseOutcome, duration: Duration) {
        let name = name.to_owned();
        self.report.phases.push(Phase { name, outcome, duration_ms: clock::ms(duration) });
    }

    /// A phase that began then and is over now.
    pub(super) fn timed(&mut self, name: &str, begun: Instant, fine: bool) {
        let outcome = if fine { PhaseOutcome::Ok } else { PhaseOutcome::Failed };
        self.phase(name, outcome, begun.elapsed());
    }

    /// Notes how long the engine itself ran.
    pub(super) fn note_engine(&mut self, result: &StepResult) {
        self.report.engine = result.took.map(|took| EngineReport {
            name: result.engine.to_owned(),
            duration_ms: clock::ms(took),
        });
    }
}

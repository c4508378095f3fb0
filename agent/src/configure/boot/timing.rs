//! Where the time of a boot goes. A phase begins where it is timed and ends with its
//! outcome; what lies between two phases is nobody's, and `gild blame` says how
//! much that is.
//!
//! To add a phase: `self.timed(name, begun, fine)` after what it is, and its name in the
//! list at `report::Phase`. Phases never overlap: what is done beside another one is
//! timed by `rest`.

use std::time::{Duration, Instant};

use super::phases::Boot;
use crate::configure::ended::StepResult;
use crate::configure::report::{EngineReport, Phase, PhaseOutcome};
use crate::platform::clock;

impl Boot<'_> {
    /// A phase that is over, or one more part of it.
    pub(super) fn phase(&mut self, name: &str, outcome: PhaseOutcome, duration: Duration) {
        let duration_ms = clock::ms(duration);
        let phases = &mut self.report.phases;
        if let Some(phase) = phases.iter_mut().find(|phase| phase.name == name) {
            phase.duration_ms =
                clock::ms(duration + Duration::from_secs_f64(phase.duration_ms / 1e3));
            if outcome != PhaseOutcome::Skipped && phase.outcome != PhaseOutcome::Failed {
                phase.outcome = outcome;
            }
            return;
        }
        phases.push(Phase { name: name.to_owned(), outcome, duration_ms });
    }

    /// The moment, and what all phases have taken so far.
    pub(super) fn timing(&self) -> (Instant, f64) {
        let phases = self.report.phases.iter();
        (Instant::now(), phases.map(|phase| phase.duration_ms).sum())
    }

    /// A phase beside others: what it took longer than they since then.
    pub(super) fn rest(&mut self, name: &str, (begun, before): (Instant, f64)) {
        let (_, now) = self.timing();
        let others = Duration::from_secs_f64((now - before).max(0.0) / 1e3);
        self.phase(name, PhaseOutcome::Ok, begun.elapsed().saturating_sub(others));
    }

    /// A phase that began then and is over now.
    pub(super) fn timed(&mut self, name: &str, begun: Instant, fine: bool) {
        let outcome = if fine { PhaseOutcome::Ok } else { PhaseOutcome::Failed };
        self.phase(name, outcome, begun.elapsed());
    }

    /// Notes how long the engine itself ran, on the way back too.
    pub(super) fn note_engine(&mut self, result: &StepResult) {
        let Some(took) = result.took else { return };
        let before = self.report.engine.as_ref().map_or(0.0, |engine| engine.duration_ms);
        let duration_ms = before + clock::ms(took);
        self.report.engine = Some(EngineReport { name: result.engine.to_owned(), duration_ms });
    }
}

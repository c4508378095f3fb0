//! Where the time of a boot went, by its report. Pure; `gild blame` shows it.
//!
//! Everything adds up: the parts and `other` to the whole, and the whole to what
//! the engine took and what gild did.

use super::report::{Outcome, Phase, PhaseOutcome, Report, TaskReport};

/// What is none of the named phases.
pub const OTHER: &str = "other";

/// The phases that come after the outcome.
pub const AFTER: [&str; 2] = ["notify", "lifecycle"];

/// A boot's time and where it went.
#[derive(Debug, Clone, PartialEq)]
pub struct Blame<'a> {
    /// The boot.
    pub report: &'a Report,
    /// From the start of the process to the outcome, or as far as it came.
    pub total_ms: f64,
    /// What the engine took, from its start to its exit.
    pub engine_ms: f64,
    /// What led to the outcome, the longest first, with what is none of it.
    pub phases: Vec<Phase>,
    /// What came after the outcome.
    pub after: Vec<Phase>,
    /// The tasks of the step, the longest first.
    pub tasks: Vec<&'a TaskReport>,
}

impl<'a> Blame<'a> {
    /// Who is to blame for the duration of a boot.
    pub fn of(report: &'a Report) -> Self {
        let phases = report.phases.iter().cloned();
        let (after, mut phases): (Vec<_>, Vec<_>) =
            phases.partition(|phase| AFTER.contains(&phase.name.as_str()));
        let named: f64 = phases.iter().map(|phase| phase.duration_ms).sum();
        let total_ms = round(report.duration_ms.unwrap_or(named).max(named));
        let duration_ms = round(total_ms - named);
        if report.duration_ms.is_some() {
            phases.push(Phase { name: OTHER.to_owned(), outcome: PhaseOutcome::Ok, duration_ms });
        }
        phases.sort_by(|a, b| b.duration_ms.total_cmp(&a.duration_ms));
        let mut tasks: Vec<_> = report.tasks.iter().collect();
        tasks.sort_by(|a, b| b.duration_ms.total_cmp(&a.duration_ms));
        let engine_ms = report.engine.as_ref().map_or(0.0, |engine| engine.duration_ms);
        Self { report, total_ms, engine_ms, phases, after, tasks }
    }

    /// What gild took: all that the engine did not.
    pub fn own_ms(&self) -> f64 {
        round((self.total_ms - self.engine_ms).max(0.0))
    }

    /// What gild took for each second of the engine's; nothing where no engine ran.
    pub fn own_per_engine(&self) -> Option<f64> {
        (self.engine_ms > 0.0).then(|| (self.own_ms() / self.engine_ms * 1e6).round() / 1e6)
    }

    /// What the engine took beside its tasks, such as to start and to gather facts.
    /// Nothing where there were several attempts, of which only the last one's tasks are
    /// known.
    pub fn between_tasks_ms(&self) -> f64 {
        if self.report.attempts.len() > 1 {
            return 0.0;
        }
        let tasks: f64 = self.tasks.iter().map(|task| task.duration_ms).sum();
        round((self.engine_ms - tasks).max(0.0))
    }

    /// What gild took in the step, before the engine and after it.
    pub fn around_engine_ms(&self) -> f64 {
        let steps = self.phases.iter().filter(|phase| matches!(&*phase.name, "step" | "rollback"));
        let steps: f64 = steps.map(|phase| phase.duration_ms).sum();
        round((steps - self.engine_ms).max(0.0))
    }

    /// Why the step ran or did not; why there was no such decision.
    pub fn reason(&self) -> &str {
        let decision = self.report.decision.as_ref().map(|decision| decision.reason.as_str());
        let failure = self.report.failure.as_ref().map(|failure| failure.message.as_str());
        decision.or(failure).unwrap_or(match self.report.outcome {
            Outcome::Running => "it was not decided",
            _ => "no reason is known",
        })
    }
}

/// To microseconds, as reports show times. A sum of nothing is negative zero, which
/// nobody wants to read.
fn round(ms: f64) -> f64 {
    (ms * 1e3).round() / 1e3 + 0.0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::configure::report::{EngineReport, TaskOutcome};

    fn phase(name: &str, duration_ms: f64) -> Phase {
        Phase { name: name.to_owned(), outcome: PhaseOutcome::Ok, duration_ms }
    }

    fn task(name: &str, duration_ms: f64) -> TaskReport {
        let (name, action) = (name.to_owned(), "debug".to_owned());
        TaskReport { name, action, outcome: TaskOutcome::Ok, duration_ms, message: None }
    }

    fn changed() -> Report {
        let mut report = Report::started("2026-11-22T10:00:00.000Z");
        report.phases = [("identity", 20.0), ("scopes", 50.1), ("step", 5030.0), ("notify", 900.0)]
            .map(|(name, ms)| phase(name, ms))
            .into();
        report.engine = Some(EngineReport { name: "ansible".to_owned(), duration_ms: 5000.0 });
        report.tasks = vec![task("a", 100.0), task("b", 3000.0)];
        report.duration_ms = Some(5110.2);
        report
    }

    #[test]
    fn everything_adds_up() {
        let report = changed();
        let blame = Blame::of(&report);
        let names: Vec<_> = blame.phases.iter().map(|phase| phase.name.as_str()).collect();
        assert_eq!(names, ["step", "scopes", "identity", "other"]);
        let sum: f64 = blame.phases.iter().map(|phase| phase.duration_ms).sum();
        assert!((sum - blame.total_ms).abs() < 1e-6, "{sum}");
        assert_eq!(blame.phases.last().unwrap().duration_ms, 10.1);
        assert_eq!(blame.own_ms(), 110.2);
        assert_eq!(blame.own_per_engine(), Some(0.02204));
        assert_eq!(blame.between_tasks_ms(), 1900.0);
        assert_eq!(blame.around_engine_ms(), 30.0);
        assert_eq!(blame.tasks[0].name, "b");
        assert_eq!(blame.after, [phase("notify", 900.0)]);
    }

    #[test]
    fn a_boot_that_is_not_over_shows_how_far_it_came() {
        let mut report = changed();
        report.duration_ms = None;
        report.engine = None;
        report.phases.truncate(2);
        let blame = Blame::of(&report);
        assert_eq!((blame.total_ms, blame.phases.len()), (70.1, 2));
        assert_eq!(blame.own_per_engine(), None);
        assert_eq!(blame.reason(), "it was not decided");
    }

    #[test]
    fn times_that_cannot_be_add_up_too() {
        let mut report = changed();
        report.duration_ms = Some(1.0);
        report.phases.push(phase("odd", f64::MAX));
        let blame = Blame::of(&report);
        assert!(blame.total_ms >= 5100.0 && blame.own_ms() >= 0.0, "{blame:?}");
    }
}

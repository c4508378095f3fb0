//! Notices that the wall clock was set: by how much it went on, against a clock that
//! nobody sets. A host that slept is not one whose clock was set.
//!
//! The clock is right once it was set, so what was measured before and still waits is
//! stamped anew. A sleep that the kernel does not count looks like such a step.

use std::time::{Duration, Instant, SystemTime};

use nix::time::{ClockId, clock_gettime};

use super::sample::Tick;

/// A clock that is being steered loses or gains less than this from tick to tick.
const STEERED: Duration = Duration::from_secs(2);

/// So many steps are remembered. A clock that is set more often is not worth following.
const MOST: usize = 16;

/// The wall clock was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The first tick by the new time.
    steady: Instant,
    /// By how much.
    by: Duration,
    /// Whether it was set back.
    back: bool,
}

impl Step {
    /// A moment of before the step, as the clock has it now.
    fn correct(&self, at: SystemTime) -> SystemTime {
        let corrected = if self.back { at.checked_sub(self.by) } else { at.checked_add(self.by) };
        corrected.unwrap_or(at)
    }
}

/// Looks for steps.
#[derive(Debug, Default)]
pub struct Steps {
    last: Option<(SystemTime, Instant, Duration)>,
    /// How many there were.
    pub count: u64,
}

impl Steps {
    /// Looks at the newest tick: whether the clock was set since the one before. `slept` is
    /// how long the host has slept since it was started.
    pub fn look(&mut self, tick: &Tick, slept: Duration) -> Option<Step> {
        let now = (tick.at, tick.steady, slept);
        let (at, steady, slept_before) = self.last.replace(now)?;
        let passed =
            tick.steady.saturating_duration_since(steady) + slept.saturating_sub(slept_before);
        let expected = at.checked_add(passed)?;
        let (by, back) = match tick.at.duration_since(expected) {
            Ok(by) => (by, false),
            Err(error) => (error.duration(), true),
        };
        if by <= STEERED {
            return None;
        }
        self.count += 1;
        let way = if back { "back" } else { "forward" };
        tracing::warn!(by_s = by.as_secs(), times = self.count, "the wall clock was set {way}");
        Some(Step { steady: tick.steady, by, back })
    }
}

/// What the steps that this process has seen make of the stamps of its ticks.
#[derive(Debug, Default)]
pub struct Corrections(Vec<Step>);

impl Corrections {
    /// There was another step.
    pub fn add(&mut self, step: Step) {
        if self.0.len() == MOST {
            self.0.remove(0);
        }
        self.0.push(step);
    }

    /// When a tick was measured, by the clock as it is now.
    pub fn at(&self, tick: &Tick) -> SystemTime {
        let since = self.0.iter().filter(|step| tick.steady < step.steady);
        since.fold(tick.at, |at, step| step.correct(at))
    }
}

/// How long the host has slept since it was started.
pub fn slept() -> Duration {
    let read = |clock| clock_gettime(clock).map(Duration::from).unwrap_or_default();
    let awake = read(ClockId::CLOCK_MONOTONIC);
    // The two are not read at the same moment, which is no sleep.
    let slept = read(ClockId::CLOCK_BOOTTIME).saturating_sub(awake);
    if slept < Duration::from_millis(100) { Duration::ZERO } else { slept }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const HOUR: u64 = 3600;
    const TEN: Duration = Duration::from_secs(10);

    /// Ticks of ten seconds each, at these seconds of the wall clock, each with how long the
    /// host has slept by then.
    fn ticks(walls: &[(u64, u64)]) -> (Vec<Tick>, Steps, Corrections) {
        let begin = Instant::now();
        let (mut steps, mut corrections) = (Steps::default(), Corrections::default());
        let mut ticks = Vec::new();
        for (number, (wall, slept)) in walls.iter().enumerate() {
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(*wall);
            let tick = Tick { at, steady: begin + TEN * number as u32, samples: Vec::new() };
            if let Some(step) = steps.look(&tick, Duration::from_secs(*slept)) {
                corrections.add(step);
            }
            ticks.push(tick);
        }
        (ticks, steps, corrections)
    }

    fn corrected(walls: &[(u64, u64)]) -> (Vec<u64>, u64) {
        let (ticks, steps, corrections) = ticks(walls);
        let since = |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        (ticks.iter().map(|tick| since(corrections.at(tick))).collect(), steps.count)
    }

    #[test]
    fn an_hour_either_way_is_noticed_and_what_waits_is_stamped_anew() {
        let now = 500 * HOUR;
        let right = vec![now, now + 10, now + 20, now + 30];
        let behind = [(now - HOUR, 0), (now - HOUR + 10, 0), (now + 20, 0), (now + 30, 0)];
        assert_eq!(corrected(&behind), (right.clone(), 1));
        let ahead = [(now + HOUR, 0), (now + HOUR + 10, 0), (now + 20, 0), (now + 30, 0)];
        assert_eq!(corrected(&ahead), (right.clone(), 1));
        let never_set = [(5, 0), (15, 0), (now + 20, 0), (now + 30, 0)];
        assert_eq!(corrected(&never_set), (right.clone(), 1));
        let there_and_back = [(now, 0), (now + 10 + HOUR, 0), (now + 20, 0), (now + 30, 0)];
        assert_eq!(corrected(&there_and_back), (right, 2));
    }

    #[test]
    fn a_clock_that_is_steered_and_a_host_that_sleeps_are_left_alone() {
        let now = 500 * HOUR;
        let steered = [(now, 0), (now + 11, 0), (now + 20, 0)];
        assert_eq!(corrected(&steered), (vec![now, now + 11, now + 20], 0));
        let sleeps = [(now, 0), (now + HOUR + 10, HOUR), (now + HOUR + 20, HOUR)];
        assert_eq!(corrected(&sleeps), (vec![now, now + HOUR + 10, now + HOUR + 20], 0));
    }

    #[test]
    fn only_so_many_steps_are_remembered() {
        let walls: Vec<_> = (0..100).map(|tick| (1000 * HOUR + (tick % 2) * HOUR, 0)).collect();
        let (_, steps, corrections) = ticks(&walls);
        assert_eq!((steps.count, corrections.0.len()), (99, MOST));
    }

    #[test]
    fn this_host_sleeps_no_less_than_it_did() {
        let before = slept();
        assert!(slept() + TEN >= before);
    }
}

//! Keeps samples in the order that a receiver asks for, whatever is done to the
//! wall clock.
//!
//! A receiver refuses what is not newer than what it has, so such a tick is
//! given up. But a clock that ran ahead for a while and was then set right must
//! not silence the sink until it catches up: time starts anew from there.

use std::time::{Duration, Instant, SystemTime};

use crate::metrics::sample::Tick;

/// A wall clock that lost more than this against the steady one was set back;
/// less than this is the work of one that is being steered.
const SET_BACK: Duration = Duration::from_secs(2);

/// What may be sent next.
#[derive(Debug, Default)]
pub(in crate::metrics::sink) struct Order {
    last: Option<(SystemTime, Instant)>,
    /// How often the wall clock was set back.
    steps: u32,
}

impl Order {
    /// Whether a tick may be sent; if so, it is the last one from now on.
    pub(in crate::metrics::sink) fn admits(&mut self, tick: &Tick) -> bool {
        if let Some((at, steady)) = self.last {
            // The wire knows milliseconds.
            let newer = tick.at.duration_since(at).is_ok_and(|by| by >= Duration::from_millis(1));
            let behind = at.duration_since(tick.at).unwrap_or_default();
            let lost = behind.saturating_add(tick.steady.saturating_duration_since(steady));
            if !newer && lost <= SET_BACK {
                return false;
            }
            if !newer {
                self.steps = self.steps.saturating_add(1);
                tracing::warn!(
                    by_s = lost.as_secs(),
                    times = self.steps,
                    "the wall clock was set back; samples are sent by the new time"
                );
            }
        }
        self.last = Some((tick.at, tick.steady));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which ticks are admitted, of those at these milliseconds of the wall
    /// clock and of the steady one.
    fn admitted(ticks: &[(u64, u64)]) -> (Vec<bool>, u32) {
        let begin = Instant::now();
        let mut order = Order::default();
        let admits = |(wall, steady): &(u64, u64)| {
            let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_000 + wall);
            let steady = begin + Duration::from_millis(*steady);
            order.admits(&Tick { at, steady, samples: Vec::new() })
        };
        let admitted = ticks.iter().map(admits).collect();
        (admitted, order.steps)
    }

    #[test]
    fn a_tick_must_be_newer_by_what_the_wire_can_say() {
        let ticks = [(5, 0), (5, 0), (4, 1), (6, 2)];
        assert_eq!(admitted(&ticks), (vec![true, false, false, true], 0));
    }

    #[test]
    fn a_clock_that_ran_ahead_and_was_set_right_silences_nothing() {
        let hour = 3_600_000;
        let ticks = [(0, 0), (hour, 10_000), (20_000, 20_000), (30_000, 30_000)];
        assert_eq!(admitted(&ticks), (vec![true; 4], 1));
    }

    #[test]
    fn a_small_step_back_costs_no_more_than_itself() {
        let ticks = [(10_000, 0), (9_500, 1_000), (10_500, 2_000), (11_500, 3_000)];
        assert_eq!(admitted(&ticks), (vec![true, false, true, true], 0));
        let often = [(10_000, 0), (9_500, 1_000), (9_000, 2_000), (10_000, 3_000)];
        assert_eq!(admitted(&often), (vec![true, false, true, true], 1));
    }

    #[test]
    fn ticks_that_waited_are_judged_by_when_they_were_measured() {
        let ticks: Vec<_> = (0..50).map(|tick| (tick * 10_000, tick * 10_000)).collect();
        assert_eq!(admitted(&ticks), (vec![true; 50], 0));
    }
}

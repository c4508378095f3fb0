//! Ticks that wait until it is known where to send them: the newest, and not
//! more of them than fit.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::SystemTime;

use crate::metrics::sample::Tick;

/// How many ticks wait: as long as a slow boot takes, at the default interval.
const MOST_TICKS: usize = 180;

/// How many samples all of them may have: more than an instance has by itself in
/// that time, and less than hundreds of processors or a large page come to.
const MOST_SAMPLES: usize = 100_000;

/// The ticks that wait.
#[derive(Debug, Default)]
pub(super) struct Held {
    ticks: VecDeque<Arc<Tick>>,
    samples: usize,
}

impl Held {
    /// Adds the newest tick, and lets the oldest go where there is no room.
    pub(super) fn push(&mut self, tick: Arc<Tick>) {
        self.samples += tick.samples.len();
        self.ticks.push_back(tick);
        while self.ticks.len() > MOST_TICKS || self.samples > MOST_SAMPLES {
            let Some(oldest) = self.ticks.pop_front() else { return };
            self.samples -= oldest.samples.len();
        }
    }

    /// Stamps them anew.
    pub(super) fn stamp(&mut self, at: impl Fn(&Tick) -> SystemTime) {
        for held in &mut self.ticks {
            let at = at(held);
            Arc::make_mut(held).at = at;
        }
    }

    /// All of them, the oldest first. None waits any more.
    pub(super) fn take(&mut self) -> VecDeque<Arc<Tick>> {
        self.samples = 0;
        std::mem::take(&mut self.ticks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::sample::Sample;

    /// How many ticks of this size are held, and how many after they were taken.
    fn held(samples: usize, ticks: usize) -> (usize, usize) {
        let mut held = Held::default();
        for _ in 0..ticks {
            let samples = vec![Sample::gauge("x", vec![], 1.0); samples];
            held.push(Arc::new(Tick::new(SystemTime::UNIX_EPOCH, samples)));
        }
        let count = held.take().len();
        (count, held.take().len())
    }

    #[test]
    fn ticks_are_held_as_far_as_they_and_their_samples_fit() {
        assert_eq!(held(500, 100), (100, 0));
        assert_eq!(held(500, 500), (MOST_TICKS, 0));
        assert_eq!(held(5000, 100), (20, 0));
        assert_eq!(held(MOST_SAMPLES + 1, 2), (0, 0), "not even one fits");
    }
}

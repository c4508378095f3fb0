//! When the next tick is due: on the monotonic clock, so that setting the wall
//! clock neither stops the ticks nor sets off a burst of them. A tick that was
//! missed, because the host slept or the last one took long, is skipped.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A steady beat that starts at once.
#[derive(Debug)]
pub struct Schedule {
    period: Duration,
    next: Instant,
}

impl Schedule {
    /// A beat every `period`; the first is due now.
    pub fn new(period: Duration) -> Self {
        Self { period, next: Instant::now() }
    }

    /// Waits for the next beat. Dropping the future loses no beat.
    pub async fn wait(&mut self) {
        sleep_until(self.next).await;
        self.next = following(self.next, Instant::now(), self.period);
    }
}

/// The first beat after `now` on the grid that `due` and `period` make.
fn following(due: Instant, now: Instant, period: Duration) -> Instant {
    let late = now.saturating_duration_since(due);
    let period_ns = period.as_nanos().max(1);
    let past = late.as_nanos() % period_ns;
    let rest = u64::try_from(period_ns - past).unwrap_or(u64::MAX);
    now.max(due) + Duration::from_nanos(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Duration = Duration::from_secs(10);

    #[test]
    fn a_beat_in_time_is_followed_by_the_next() {
        let due = Instant::now();
        assert_eq!(following(due, due, TEN), due + TEN);
        assert_eq!(following(due, due + Duration::from_millis(3), TEN), due + TEN);
    }

    #[test]
    fn missed_beats_are_skipped_and_the_grid_is_kept() {
        let due = Instant::now();
        assert_eq!(following(due, due + Duration::from_secs(3605), TEN), due + 361 * TEN);
        assert_eq!(following(due, due + TEN, TEN), due + 2 * TEN);
    }

    #[tokio::test]
    async fn the_first_beat_is_due_at_once() {
        let mut schedule = Schedule::new(Duration::from_secs(3600));
        schedule.wait().await;
        let second = tokio::time::timeout(Duration::from_millis(10), schedule.wait());
        assert!(second.await.is_err());
    }
}

//! How long draining may take, and how much of that is for what follows the steps.

use std::time::{Duration, SystemTime};

use crate::lifecycle::settings::Occasion;

/// The most, where nothing says how long there is.
const MOST: Duration = Duration::from_secs(600);

/// The most where spot capacity is taken back and it is not known when: two minutes
/// after the notice, and the notice may be some seconds old.
const SPOT: Duration = Duration::from_secs(100);

/// The least that is tried, whatever a clock or a daemon says.
const LEAST: Duration = Duration::from_secs(10);

/// What is kept free at the end.
const MARGIN: Duration = Duration::from_secs(5);

/// What is kept free for what follows the steps: the end of one that does not want to
/// end, the notifications, the measurements, the autoscaling group.
const AFTERWARDS: Duration = Duration::from_secs(20);

/// The time for all of it, before the moment at which the instance goes.
pub fn until(occasion: Occasion, end: Option<SystemTime>, now: SystemTime) -> Duration {
    match end {
        Some(end) => {
            end.duration_since(now).unwrap_or_default().saturating_sub(MARGIN).clamp(LEAST, MOST)
        }
        None if occasion == Occasion::Spot => SPOT,
        None => MOST,
    }
}

/// The time for all of it within that of a unit that stops.
pub fn of_unit(timeout: Duration) -> Duration {
    (timeout - MARGIN.min(timeout / 4)).min(MOST)
}

/// The part that the steps may have.
pub fn of_steps(all: Duration) -> Duration {
    all - AFTERWARDS.min(all / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn the_time_ends_before_the_instance_does() {
        let now = SystemTime::UNIX_EPOCH + 1_000_000 * S;
        let left = |occasion, end| until(occasion, end, now);
        assert_eq!(left(Occasion::Spot, Some(now + 120 * S)), 115 * S);
        assert_eq!(left(Occasion::Spot, None), 100 * S);
        assert_eq!(left(Occasion::Terminate, None), 600 * S);
        // What lies in the past, or far away, is not believed.
        for end in [now - 60 * S, now, now + 12 * S] {
            assert_eq!(left(Occasion::Spot, Some(end)), 10 * S);
        }
        assert_eq!(left(Occasion::Spot, Some(now + 1_000_000 * S)), 600 * S);
    }

    #[test]
    fn a_unit_s_own_limit_is_kept() {
        assert_eq!(of_unit(90 * S), 85 * S);
        assert_eq!(of_unit(4 * S), 3 * S);
        assert_eq!(of_unit(Duration::ZERO), Duration::ZERO);
        // systemd's word for no limit.
        assert_eq!(of_unit(Duration::from_micros(u64::MAX)), 600 * S);
    }

    #[test]
    fn what_follows_the_steps_has_its_own_time() {
        assert_eq!(of_steps(85 * S), 65 * S);
        assert_eq!(of_steps(10 * S), Duration::from_millis(7500));
        assert_eq!(of_steps(Duration::ZERO), Duration::ZERO);
    }
}

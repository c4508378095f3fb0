//! When to send. A fleet that started together must not send together, so each host has a moment
//! of its own. Between two calls ticks are taken in every minute, because a minute of values takes
//! less memory than its ticks.

use std::time::{Duration, Instant};

use super::MINUTE;
use crate::metrics::sink::phase;

/// When a host sends.
#[derive(Debug)]
pub(super) struct Rhythm {
    flush: Duration,
    phase: Duration,
    /// How often ticks are taken in.
    period: Duration,
    /// When it last sent, or heard of the first tick, and how long to wait from then on.
    since: Option<Instant>,
    wait: Duration,
    newest: Option<Instant>,
}

impl Rhythm {
    /// Sends every `flush`, at a moment that the host's id decides.
    pub(super) fn new(instance_id: &str, flush: Duration) -> Self {
        let phase = phase(instance_id, flush);
        let periods = flush.as_secs().div_ceil(MINUTE.as_secs()).max(1) as u32;
        let period = flush / periods;
        Self { flush, phase, period, since: None, wait: phase, newest: None }
    }

    /// How often ticks are taken in.
    pub(super) fn period(&self) -> Duration {
        self.period
    }

    /// When ticks are first taken in.
    pub(super) fn phase(&self) -> Duration {
        let past = self.phase.as_nanos() % self.period.as_nanos().max(1);
        Duration::from_nanos(u64::try_from(past).unwrap_or(u64::MAX))
    }

    /// Whether it sends without waiting for the end of a minute.
    pub(super) fn is_quick(&self) -> bool {
        self.flush < MINUTE
    }

    /// Hears of a tick.
    pub(super) fn hear(&mut self, tick: Instant) {
        self.newest = Some(tick);
        self.since.get_or_insert(tick);
    }

    /// Whether it is time to send, or `asked` for.
    pub(super) fn is_due(&mut self, asked: bool) -> bool {
        let (Some(since), Some(newest)) = (self.since, self.newest) else { return asked };
        // The newest tick is a little older than this moment, and may be older than it was then.
        let due = newest.saturating_duration_since(since) + self.period / 2 >= self.wait;
        let due = due || self.flush <= MINUTE;
        if due && !asked {
            (self.since, self.wait) = (Some(newest), self.flush);
        }
        due || asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE: Duration = Duration::from_secs(300);

    #[test]
    fn hosts_have_moments_of_their_own() {
        for flush in [MINUTE, FIVE] {
            let moment = |host: u32| Rhythm::new(&format!("i-{host}"), flush).phase;
            let moments: Vec<_> = (0..40).map(moment).collect();
            assert!(moments.iter().all(|moment| *moment <= flush));
            for part in 0..4 {
                let (from, to) = (flush * part / 4, flush * (part + 1) / 4);
                let there = moments.iter().filter(|moment| (from..to).contains(*moment));
                assert!(there.count() >= 4, "{flush:?} {part}");
            }
        }
    }

    /// The seconds after the start at which a host sends, where ticks come this often.
    fn sent(rhythm: &mut Rhythm, interval: u64) -> Vec<u64> {
        let start = Instant::now();
        let mut due = rhythm.phase().as_secs();
        let mut sent = Vec::new();
        for second in 0..1500 {
            if second % interval == 0 {
                rhythm.hear(start + Duration::from_secs(second));
            }
            if second >= due {
                due += rhythm.period().as_secs();
                sent.extend(rhythm.is_due(false).then_some(second));
            }
        }
        sent
    }

    #[test]
    fn five_minutes_are_sent_at_once_and_taken_in_one_by_one() {
        for host in 0..20 {
            for interval in [1, 10, 30, 60] {
                let mut rhythm = Rhythm::new(&format!("i-{host}"), FIVE);
                assert_eq!(rhythm.period(), MINUTE);
                let sent = sent(&mut rhythm, interval);
                assert!(sent[0] <= 300 + interval, "{sent:?}");
                assert!(sent.windows(2).all(|two| two[1] - two[0] == 300), "{interval} {sent:?}");
                assert!(sent.len() >= 4, "{sent:?}");
            }
        }
    }

    #[test]
    fn a_minute_or_less_is_sent_whenever_ticks_are_taken_in() {
        for flush in [5, 59, 60] {
            let flush = Duration::from_secs(flush);
            let mut rhythm = Rhythm::new("i-1", flush);
            assert_eq!((rhythm.period(), rhythm.is_quick()), (flush, flush < MINUTE));
            assert!(rhythm.is_due(true));
            rhythm.hear(Instant::now());
            assert!(rhythm.is_due(false) && rhythm.is_due(false));
        }
    }
}

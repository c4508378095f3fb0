//! What time it is for the receiver. One sample from the future makes some receivers refuse
//! all that every host measures, until that time has come; so where the receiver's answers
//! say that this host's clock runs ahead, nothing is sent.

use std::time::{Duration, Instant, SystemTime};

use aws_smithy_types::date_time::{DateTime, Format};
use reqwest::header::{DATE, HeaderMap};

use crate::metrics::sample::Tick;

/// How far ahead a stamp may be: as far as Mimir takes it.
const AHEAD: Duration = Duration::from_secs(600);

/// The time of the receiver, once it has answered.
#[derive(Debug, Default)]
pub(super) struct ReceiverClock {
    answered: Option<(SystemTime, Instant)>,
    ahead: bool,
}

impl ReceiverClock {
    /// Notes the date of an answer that came at a moment.
    pub(super) fn note(&mut self, headers: &HeaderMap, now: Instant) {
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        let seconds = date.and_then(|date| u64::try_from(date.secs()).ok());
        let at = seconds.and_then(|s| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(s)));
        if let Some(at) = at {
            self.answered = Some((at, now));
        }
    }

    /// Whether the receiver would take a tick for one from the future.
    pub(super) fn is_ahead(&mut self, tick: &Tick) -> bool {
        let Some((date, then)) = self.answered else { return false };
        let latest = date + tick.steady.saturating_duration_since(then) + AHEAD;
        let ago = then.saturating_duration_since(tick.steady);
        let ahead = latest.checked_sub(ago).is_some_and(|latest| tick.at > latest);
        if ahead && !self.ahead {
            let by_s = tick.at.duration_since(latest).unwrap_or_default().as_secs();
            tracing::warn!(by_s, "the wall clock is ahead of the receiver's; nothing is sent");
        }
        self.ahead = ahead;
        ahead
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_the_receiver_would_take_for_the_future_is_found_out_and_the_past_is_not() {
        let now = Instant::now();
        let mut headers = HeaderMap::new();
        headers.insert(DATE, "Tue, 14 Nov 2023 22:13:20 GMT".parse().unwrap());
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let minute = Duration::from_secs(60);
        let of = |at, steady| Tick { at, steady, samples: Vec::new() };
        let mut clock = ReceiverClock::default();
        assert!(!clock.is_ahead(&of(date + 60 * minute, now)), "it has not answered");
        clock.note(&headers, now);
        assert!(!clock.is_ahead(&of(date + 9 * minute, now)));
        assert!(clock.is_ahead(&of(date + 11 * minute, now)));
        assert!(!clock.is_ahead(&of(date - 600 * minute, now)));
        // What was measured later may be stamped later, and what was measured before not.
        assert!(!clock.is_ahead(&of(date + 60 * minute, now + 55 * minute)));
        assert!(clock.is_ahead(&of(date + 9 * minute, now.checked_sub(5 * minute).unwrap())));
        headers.insert(DATE, "yesterday".parse().unwrap());
        clock.note(&headers, now + minute);
        assert!(clock.is_ahead(&of(date + 60 * minute, now)), "what cannot be read says nothing");
    }
}

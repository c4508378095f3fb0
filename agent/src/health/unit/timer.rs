//! What systemd says about a timer, beside the state that it has as any unit.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A timer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TimerState {
    /// The unit that it triggers.
    pub unit: String,
    /// When it triggered last; for a timer that is `Persistent`, also before the machine
    /// was started.
    pub triggered: Option<SystemTime>,
    /// When the timer itself was started.
    pub active_since: Option<SystemTime>,
}

/// A moment in microseconds since 1970. systemd says 0, or all ones, for none.
pub(super) fn moment(micros: u64) -> Option<SystemTime> {
    let since = Duration::from_micros(micros);
    (micros != 0 && micros != u64::MAX).then(|| UNIX_EPOCH.checked_add(since)).flatten()
}

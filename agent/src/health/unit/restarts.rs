//! How often a unit was restarted of late. A unit in a crash loop is active at almost
//! every look, and no look alone can tell.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::UnitState;

/// A unit that was restarted this often within `LOOP_WINDOW` is in a crash
/// loop, whatever its state is when it is looked at.
pub(super) const LOOP_RESTARTS: u32 = 3;
pub(super) const LOOP_WINDOW: Duration = Duration::from_secs(300);

/// The restarts of one unit.
#[derive(Debug, Clone, Default)]
pub(super) struct Restarts {
    /// The counts seen within the window.
    counts: VecDeque<(Instant, u32)>,
    /// When its main process was started, and how often that has changed: for a
    /// systemd that does not count.
    own: (u64, u32),
}

impl Restarts {
    /// Takes a state into account, and says how much the restarts grew within the
    /// window.
    pub(super) fn see(&mut self, state: &UnitState, now: Instant) -> u32 {
        let counted = state.restarts.or_else(|| self.starts(state));
        let Some(restarts) = counted else { return 0 };
        // Starting a unit by hand sets systemd's count back.
        if self.counts.back().is_some_and(|(_, last)| restarts < *last) {
            self.counts.clear();
        }
        if self.counts.back().is_none_or(|(_, last)| restarts > *last) {
            self.counts.push_back((now, restarts));
        }
        // The last count before the window is what the window grew from.
        while self.counts.get(1).is_some_and(|(at, _)| now.duration_since(*at) > LOOP_WINDOW) {
            self.counts.pop_front();
        }
        self.counts.front().map_or(0, |(_, before)| restarts - before)
    }

    /// The last count.
    pub(super) fn count(&self) -> u32 {
        self.counts.back().map_or(0, |(_, count)| *count)
    }

    /// How often the main process was seen to be another one. A restart by hand is
    /// among them, and of several between two looks one.
    fn starts(&mut self, state: &UnitState) -> Option<u32> {
        let started = state.started.filter(|started| *started > 0)?;
        let (before, count) = self.own;
        self.own = (started, count + u32::from(before != 0 && before != started));
        Some(self.own.1)
    }
}

//! What systemd says about a unit, and what that means for its service.
//!
//! The meaning is here and pure; the asking is in `bus`. The state is a value
//! and never a label, so that a series does not end when the state changes.

/// Asking systemd over D-Bus.
pub mod bus;

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::verdict::Look;

/// A unit that was restarted this often within `LOOP_WINDOW` is in a crash
/// loop, whatever its state is when it is looked at.
const LOOP_RESTARTS: u32 = 3;
const LOOP_WINDOW: Duration = Duration::from_secs(300);

/// The state of a unit, as systemd's `ActiveState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActiveState {
    /// It runs, or has done what it should.
    Active,
    /// It runs and reads its configuration again.
    Reloading,
    /// It does not run.
    Inactive,
    /// It stopped in a way it should not have.
    Failed,
    /// It is being started.
    Activating,
    /// It is being stopped.
    Deactivating,
}

impl ActiveState {
    /// Reads systemd's word; `None` for one that gild does not know.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "active" => Self::Active,
            "reloading" | "refreshing" => Self::Reloading,
            "inactive" => Self::Inactive,
            "failed" => Self::Failed,
            "activating" => Self::Activating,
            "deactivating" => Self::Deactivating,
            _ => return None,
        })
    }

    /// The number that stands for the state in metrics; telegraf's, so that
    /// alarms made for it go on working.
    pub fn code(self) -> u8 {
        match self {
            Self::Active => 0,
            Self::Reloading => 1,
            Self::Inactive => 2,
            Self::Failed => 3,
            Self::Activating => 4,
            Self::Deactivating => 5,
        }
    }
}

/// What systemd says about a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitState {
    /// `loaded`, `not-found`, `masked`, …
    pub load: String,
    /// `active`, `inactive`, `failed`, …
    pub active: String,
    /// Such as `running` or `dead`.
    pub sub: String,
    /// How the last run ended, such as `success`; services only.
    pub result: Option<String>,
    /// How often systemd has restarted it by itself; services only, and not on
    /// the oldest systemd.
    pub restarts: Option<u32>,
    /// Such as `simple` or `oneshot`; services only.
    pub kind: Option<String>,
}

/// What was seen of one unit before, and what that makes of the next state.
#[derive(Debug, Clone)]
pub struct Judge {
    unit: String,
    start_grace: Duration,
    /// Since when the unit is starting, and its restarts at that moment.
    starting: Option<(Instant, Option<u32>)>,
    /// The restarts seen within the window.
    restarts: VecDeque<(Instant, u32)>,
}

impl Judge {
    /// A judge that has seen nothing yet.
    pub fn new(unit: &str, start_grace: Duration) -> Self {
        Self { unit: unit.to_owned(), start_grace, starting: None, restarts: VecDeque::new() }
    }

    /// What a state means, and why, where it is not good.
    pub fn see(&mut self, state: &UnitState, now: Instant) -> (Look, Option<String>) {
        let (look, why) = self.weigh(state, now);
        (look, why.map(|why| format!("{} {why}", self.unit)))
    }

    fn weigh(&mut self, state: &UnitState, now: Instant) -> (Look, Option<String>) {
        let active = ActiveState::from_word(&state.active);
        if active != Some(ActiveState::Activating) {
            self.starting = None;
        }
        let restarted = self.restarted(state.restarts, now);
        match (state.load.as_str(), active) {
            ("not-found", _) => return (Look::Down, Some("does not exist".to_owned())),
            ("masked", _) => return (Look::Down, Some("is masked".to_owned())),
            (_, Some(ActiveState::Failed)) => {
                let result = state.result.as_deref().unwrap_or("no result");
                return (Look::Down, Some(format!("has failed ({result})")));
            }
            _ => {}
        }
        if restarted >= LOOP_RESTARTS {
            let window = humantime::format_duration(LOOP_WINDOW);
            return (Look::Bad, Some(format!("was restarted {restarted} times within {window}")));
        }
        let done =
            state.kind.as_deref() == Some("oneshot") && state.result.as_deref() == Some("success");
        match active {
            Some(ActiveState::Active | ActiveState::Reloading) => (Look::Good, None),
            Some(_) if done => (Look::Good, None),
            Some(ActiveState::Activating) => self.starting(state, now),
            _ => (Look::Bad, Some(format!("is {} ({})", state.active, state.sub))),
        }
    }

    fn starting(&mut self, state: &UnitState, now: Instant) -> (Look, Option<String>) {
        let (since, restarts) = *self.starting.get_or_insert((now, state.restarts));
        if state.restarts > restarts {
            return (Look::Bad, Some(format!("is being restarted ({})", state.sub)));
        }
        if now.duration_since(since) > self.start_grace {
            let grace = humantime::format_duration(self.start_grace);
            return (Look::Bad, Some(format!("is still starting after {grace} ({})", state.sub)));
        }
        (Look::Good, None)
    }

    /// How much the restarts grew within the window.
    fn restarted(&mut self, restarts: Option<u32>, now: Instant) -> u32 {
        let Some(restarts) = restarts else { return 0 };
        // Starting a unit by hand sets the count back.
        if self.restarts.back().is_some_and(|(_, last)| restarts < *last) {
            self.restarts.clear();
        }
        if self.restarts.back().is_none_or(|(_, last)| restarts > *last) {
            self.restarts.push_back((now, restarts));
        }
        // The last count before the window is what the window grew from.
        while self.restarts.get(1).is_some_and(|(at, _)| now.duration_since(*at) > LOOP_WINDOW) {
            self.restarts.pop_front();
        }
        self.restarts.front().map_or(0, |(_, before)| restarts - before)
    }
}

#[cfg(test)]
mod tests;

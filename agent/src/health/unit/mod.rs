//! What systemd says about a unit, and what that means for its service.
//!
//! The meaning is here and pure; the asking is in `bus`. The state is a value
//! and never a label, so that a series does not end when the state changes.

/// Asking systemd over D-Bus.
pub mod bus;
/// What systemd says about a timer.
pub mod timer;

mod restarts;

use std::time::Duration;

use tokio::time::Instant;

use self::restarts::{LOOP_RESTARTS, LOOP_WINDOW, Restarts};
use super::verdict::Look;

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

/// What systemd says about a unit. All but the first three is for services only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitState {
    /// `loaded`, `not-found`, `masked`, …
    pub load: String,
    /// `active`, `inactive`, `failed`, …
    pub active: String,
    /// Such as `running` or `dead`.
    pub sub: String,
    /// How the last run ended, such as `success`.
    pub result: Option<String>,
    /// How often systemd has restarted it by itself; not on the oldest systemd.
    pub restarts: Option<u32>,
    /// Such as `simple` or `oneshot`.
    pub kind: Option<String>,
    /// Its control group, such as `/system.slice/nginx.service`; empty where it has
    /// none now.
    pub control_group: Option<String>,
    /// When its main process was last started, in microseconds since the machine was;
    /// 0 for never. Asked only where something depends on it.
    pub started: Option<u64>,
    /// Whether it stays active when its processes have ended well. Asked of a oneshot
    /// that is not active.
    pub remains: Option<bool>,
    /// The exit status or signal of its main process. Asked where it has not ended well.
    pub status: Option<i32>,
}

impl UnitState {
    /// How the last run ended, for people.
    pub fn ended(&self) -> String {
        let status = self.status.map_or("an error".to_owned(), |status| status.to_string());
        match self.result.as_deref().unwrap_or("no result") {
            "exit-code" => format!("its process ended with {status}"),
            "signal" => format!("its process was killed by signal {status}"),
            "core-dump" => format!("its process crashed with signal {status}"),
            "oom-kill" => "the kernel killed it for want of memory".to_owned(),
            "timeout" => "it took too long to start or to stop".to_owned(),
            "watchdog" => "it stopped telling systemd that it is alive".to_owned(),
            "start-limit" | "start-limit-hit" => "it was started too often".to_owned(),
            "resources" => "systemd could not start it".to_owned(),
            other => other.to_owned(),
        }
    }
}

/// A unit's name as systemd knows it: `nginx` means `nginx.service`.
pub fn full_name(unit: &str, suffix: &str) -> String {
    match unit.contains('.') {
        true => unit.to_owned(),
        false => format!("{unit}.{suffix}"),
    }
}

/// What was seen of one unit before, and what that makes of the next state.
#[derive(Debug, Clone)]
pub struct Judge {
    unit: String,
    start_grace: Duration,
    /// Since when the unit is starting, and its restarts at that moment.
    starting: Option<(Instant, u32)>,
    restarts: Restarts,
}

impl Judge {
    /// A judge that has seen nothing yet.
    pub fn new(unit: &str, start_grace: Duration) -> Self {
        let restarts = Restarts::default();
        Self { unit: unit.to_owned(), start_grace, starting: None, restarts }
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
        let restarted = self.restarts.see(state, now);
        match (state.load.as_str(), active) {
            ("not-found", _) => return (Look::Down, Some("does not exist".to_owned())),
            ("masked", _) => return (Look::Down, Some("is masked".to_owned())),
            (_, Some(ActiveState::Failed)) => {
                return (Look::Down, Some(format!("has failed: {}", state.ended())));
            }
            _ => {}
        }
        // It has failed often enough already, whatever it is just now.
        if restarted >= LOOP_RESTARTS {
            let window = humantime::format_duration(LOOP_WINDOW);
            let why = format!("is in a crash loop: restarted {restarted} times within {window}");
            return (Look::Down, Some(why));
        }
        match active {
            Some(ActiveState::Active | ActiveState::Reloading) => (Look::Good, None),
            Some(ActiveState::Activating) => self.starting(state, now),
            Some(ActiveState::Inactive) if state.kind.as_deref() == Some("oneshot") => rests(state),
            _ => (Look::Bad, Some(format!("is {} ({})", state.active, state.sub))),
        }
    }

    fn starting(&mut self, state: &UnitState, now: Instant) -> (Look, Option<String>) {
        let failed = state.result.as_deref().is_some_and(|result| result != "success");
        if state.sub.starts_with("auto-restart") && failed {
            return (Look::Bad, Some(format!("waits to be restarted: {}", state.ended())));
        }
        let restarts = self.restarts.count();
        let (since, before) = *self.starting.get_or_insert((now, restarts));
        if restarts > before {
            return (Look::Bad, Some(format!("is being restarted ({})", state.sub)));
        }
        if now.duration_since(since) > self.start_grace {
            let grace = humantime::format_duration(self.start_grace);
            return (Look::Bad, Some(format!("is still starting after {grace} ({})", state.sub)));
        }
        (Look::Good, None)
    }
}

/// A oneshot that is not active. One that stays active when it is done has been
/// stopped; any other is well if it has run and ended well.
fn rests(state: &UnitState) -> (Look, Option<String>) {
    let why = match state.result.as_deref() {
        _ if state.remains == Some(true) => format!("is inactive ({})", state.sub),
        Some("success") if state.started.is_some_and(|started| started > 0) => {
            return (Look::Good, None);
        }
        Some("success") => "has not run, as far as systemd remembers".to_owned(),
        _ => format!("did not end well: {}", state.ended()),
    };
    (Look::Bad, Some(why))
}

#[cfg(test)]
mod tests;

//! One look at one service: its unit and all its probes at the same time, each
//! within a limit of its own.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::means::Means;
use super::probe::{self, Probe, probes};
use super::settings::ServiceSettings;
use super::unit::bus::UnitError;
use super::unit::{Judge, UnitState, full_name};
use super::usage::{Meter, Usage};
use super::verdict::Look;
use crate::platform::error::chain_text;

/// Where the control groups are.
const CONTROL_GROUPS: &str = "/sys/fs/cgroup";

/// How long a process that was killed for want of memory is told of as what may be
/// behind a failure.
const KILL_MATTERS: Duration = Duration::from_secs(300);

/// What one look saw.
#[derive(Debug)]
pub(super) struct Seen {
    /// What it comes to.
    pub(super) look: Look,
    /// What is not well.
    pub(super) why: Vec<String>,
    /// The unit, where there is one and it could be looked at.
    pub(super) unit: Option<UnitState>,
    /// What it uses.
    pub(super) usage: Usage,
    /// How long each probe took.
    pub(super) probes: Vec<(&'static str, Duration)>,
}

/// Looks at one service again and again.
#[derive(Debug)]
pub(super) struct Looker {
    unit: Option<Watched>,
    probes: Vec<Arc<dyn Probe>>,
    limit: Duration,
    means: Arc<Means>,
}

/// The unit of a service.
#[derive(Debug)]
struct Watched {
    name: String,
    judge: Judge,
    meter: Meter,
    /// The processes killed for want of memory, and when that last grew.
    killed: (Option<u64>, Option<Instant>),
}

impl Looker {
    pub(super) fn new(settings: &ServiceSettings, means: Arc<Means>) -> Self {
        let unit = settings.unit.as_deref().map(|unit| {
            let name = full_name(unit, "service");
            let judge = Judge::new(&name, settings.start_grace);
            let meter = Meter::new(means.paths.host(CONTROL_GROUPS));
            Watched { name, judge, meter, killed: (None, None) }
        });
        Self { unit, probes: probes(settings), limit: settings.timeout, means }
    }

    pub(super) async fn look(&mut self) -> Seen {
        // Dropped with this look, and the probes with it.
        let mut running = JoinSet::new();
        for probe in self.probes.clone() {
            let (means, limit) = (self.means.clone(), self.limit);
            running.spawn(async move { probe::run(&*probe, &means, limit).await });
        }
        let state = match &self.unit {
            Some(unit) => Some(self.means.bus.unit(&unit.name, self.limit).await),
            None => None,
        };
        let mut seen = Seen {
            look: Look::Good,
            why: Vec::new(),
            unit: None,
            usage: Usage::default(),
            probes: Vec::new(),
        };
        if let Some((unit, state)) = self.unit.as_mut().zip(state) {
            unit.note(state, &mut seen);
        }
        for probe in running.join_all().await {
            seen.probes.push((probe.probe, probe.took));
            if let Err(error) = probe.result {
                seen.take((Look::Bad, Some(chain_text(&error))));
            }
        }
        seen.probes.sort();
        if self.unit.is_none() && self.probes.is_empty() {
            let nothing = "there is nothing to look at: set unit, http, tcp, exec, file or timer";
            seen.take((Look::Bad, Some(nothing.to_owned())));
        }
        if let Some(unit) = &self.unit
            && seen.look != Look::Good
            && unit.was_killed(Instant::now())
        {
            let minutes = humantime::format_duration(KILL_MATTERS);
            let killed = "the kernel killed a process of it for want of memory within";
            seen.why.push(format!("{killed} {minutes}"));
        }
        seen
    }
}

impl Watched {
    fn note(&mut self, state: Result<UnitState, UnitError>, seen: &mut Seen) {
        let now = Instant::now();
        let state = match state {
            Ok(state) => state,
            Err(error) => return seen.take((Look::Bad, Some(chain_text(&error)))),
        };
        seen.take(self.judge.see(&state, now));
        if let Some(group) = &state.control_group {
            seen.usage = self.meter.read(group, state.restarts);
        }
        let kills = seen.usage.oom_kills;
        let (before, _) = self.killed;
        if before.is_some() && kills > before {
            tracing::warn!(unit = self.name, kills, "a process was killed for want of memory");
            self.killed.1 = Some(now);
        }
        self.killed.0 = kills.or(before);
        seen.unit = Some(state);
    }

    fn was_killed(&self, now: Instant) -> bool {
        self.killed.1.is_some_and(|then| now.duration_since(then) <= KILL_MATTERS)
    }
}

impl Seen {
    /// The worst of what was found counts.
    fn take(&mut self, (look, why): (Look, Option<String>)) {
        if look == Look::Down || self.look == Look::Good {
            self.look = look;
        }
        self.why.extend(why);
    }
}

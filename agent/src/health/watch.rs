//! One task a service, and what all of them found. The tasks look on their own
//! schedules, so that a slow service delays no other, and nothing that asks for
//! the results waits for a look.

mod samples;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Client;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::look::Looker;
use super::means::Means;
use super::settings::ServiceSettings;
use super::usage::Usage;
use super::verdict::Verdict;
use crate::platform::clock;
use crate::platform::paths::Paths;

/// The first looks are spread over this long, and so are all later ones. Short,
/// so that the first verdicts do not keep anyone waiting.
const SPREAD: Duration = Duration::from_secs(1);

/// So many services are looked at at once: waking up costs more than a look does.
const AT_ONCE: u32 = 10;

/// How a service is, for people and programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceHealth {
    /// The verdict; null until there was enough to tell.
    pub up: Option<bool>,
    /// systemd's word for the unit's state, where there is a unit that could be
    /// looked at.
    pub state: Option<String>,
    /// Why it is not well, or how far it is from another verdict.
    pub message: String,
    /// When the verdict last changed, RFC 3339.
    pub since: String,
}

/// Whether every service was looked at once.
fn all_looked_at(found: &BTreeMap<Arc<str>, Found>) -> bool {
    found.values().all(|found| found.looks > 0)
}

/// What the last look of a service found, and the verdict.
#[derive(Debug)]
struct Found {
    health: ServiceHealth,
    restarts: Option<u32>,
    usage: Usage,
    probes: Vec<(&'static str, Duration)>,
    looks: u64,
    /// Since when it is down.
    down: Option<Instant>,
}

type Shared = Arc<Mutex<BTreeMap<Arc<str>, Found>>>;

fn lock(shared: &Shared) -> MutexGuard<'_, BTreeMap<Arc<str>, Found>> {
    // What is guarded is valid after every single step.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The services that are watched. Their tasks end when this is dropped.
#[derive(Debug)]
pub struct Watch {
    means: Arc<Means>,
    found: Shared,
    looked: watch::Sender<()>,
    tasks: BTreeMap<Arc<str>, Task>,
}

#[derive(Debug)]
struct Task {
    settings: ServiceSettings,
    handle: JoinHandle<()>,
}

impl Drop for Task {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

impl Watch {
    /// Starts to watch. Must be called within a runtime.
    pub fn start(
        services: &BTreeMap<String, ServiceSettings>,
        client: Client,
        paths: &Paths,
    ) -> Self {
        let mut watch = Self {
            means: Arc::new(Means::new(client, paths)),
            found: Shared::default(),
            looked: watch::Sender::new(()),
            tasks: BTreeMap::new(),
        };
        watch.update(services);
        watch
    }

    /// Watches these services from now on. One whose settings are the same as
    /// before keeps its verdict.
    pub fn update(&mut self, services: &BTreeMap<String, ServiceSettings>) {
        self.tasks.retain(|name, task| services.get(&**name) == Some(&task.settings));
        let kept = &self.tasks;
        lock(&self.found).retain(|name, _| kept.contains_key(name));
        let groups = (services.len() as u32).div_ceil(AT_ONCE).max(1);
        for (position, (name, settings)) in (0u32..).zip(services) {
            if self.tasks.contains_key(name.as_str()) {
                continue;
            }
            let name: Arc<str> = name.as_str().into();
            let health = ServiceHealth {
                up: None,
                state: None,
                message: "not looked at yet".to_owned(),
                since: clock::now_text(),
            };
            let found = Found {
                health,
                restarts: None,
                usage: Usage::default(),
                probes: Vec::new(),
                looks: 0,
                down: None,
            };
            lock(&self.found).insert(name.clone(), found);
            let phase = settings.interval.min(SPREAD) / groups * (position / AT_ONCE);
            let task = watch_one(
                Looker::new(settings, self.means.clone()),
                Board {
                    name: name.clone(),
                    verdict: Verdict::new(settings.fail_after, settings.recover_after),
                    found: self.found.clone(),
                    looked: self.looked.clone(),
                },
                phase,
                settings.interval,
            );
            let task = Task { settings: settings.clone(), handle: tokio::spawn(task) };
            self.tasks.insert(name, task);
        }
    }

    /// How each service is.
    pub fn snapshot(&self) -> BTreeMap<String, ServiceHealth> {
        lock(&self.found)
            .iter()
            .map(|(name, found)| (name.to_string(), found.health.clone()))
            .collect()
    }

    /// The services that are down, each since when.
    pub fn down(&self) -> Vec<(String, Instant)> {
        let found = lock(&self.found);
        let down = found.iter().filter_map(|(name, found)| Some((name.to_string(), found.down?)));
        down.collect()
    }

    /// Whether every service was looked at once.
    pub fn has_looked(&self) -> bool {
        all_looked_at(&lock(&self.found))
    }

    /// Waits until every service was looked at once.
    pub async fn first_looks(&self) {
        self.until(all_looked_at).await;
    }

    async fn until(&self, fits: impl Fn(&BTreeMap<Arc<str>, Found>) -> bool) {
        let mut looked = self.looked.subscribe();
        while !fits(&lock(&self.found)) {
            // The sender is ours, so this ends by a look alone.
            if looked.changed().await.is_err() {
                return;
            }
        }
    }
}

/// Where a service's task puts what it found.
struct Board {
    name: Arc<str>,
    verdict: Verdict,
    found: Shared,
    looked: watch::Sender<()>,
}

async fn watch_one(mut looker: Looker, mut board: Board, phase: Duration, every: Duration) {
    let mut ticks = interval_at(Instant::now() + phase, every);
    // After a pause (a stopped virtual machine) one look is enough.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        board.note(looker.look().await);
    }
}

impl Board {
    fn note(&mut self, seen: super::look::Seen) {
        let changed = self.verdict.see(seen.look);
        let up = self.verdict.up();
        let why = seen.why.join("; ");
        let message = match self.verdict.progress() {
            Some(progress) if why.is_empty() => progress,
            Some(progress) => format!("{why} ({progress})"),
            None => why,
        };
        if changed {
            match up {
                Some(true) => tracing::info!(service = &*self.name, "service is up"),
                _ => tracing::warn!(service = &*self.name, "service is down: {message}"),
            }
        }
        if let Some(found) = lock(&self.found).get_mut(&self.name) {
            found.health.up = up;
            found.health.message = message;
            if changed {
                found.health.since = clock::now_text();
                found.down = (up == Some(false)).then(Instant::now);
            }
            found.restarts = seen.unit.as_ref().and_then(|unit| unit.restarts);
            found.health.state = seen.unit.map(|unit| unit.active);
            found.usage = seen.usage;
            found.probes = seen.probes;
            found.looks += 1;
        }
        self.looked.send_replace(());
    }
}

#[cfg(test)]
mod tests;

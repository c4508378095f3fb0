//! One look at one service: its unit and all its probes at the same time, each
//! within the service's own limit.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::probe::{Probe, probes};
use super::settings::ServiceSettings;
use super::unit::bus::{SystemBus, UnitError};
use super::unit::{Judge, UnitState};
use super::verdict::Look;
use crate::platform::error::chain_text;

/// What one look saw.
#[derive(Debug)]
pub(super) struct Seen {
    /// What it comes to.
    pub(super) look: Look,
    /// What is not well.
    pub(super) why: Vec<String>,
    /// The unit, where there is one and it could be looked at.
    pub(super) unit: Option<UnitState>,
    /// How long each probe took.
    pub(super) probes: Vec<(&'static str, Duration)>,
}

/// Looks at one service again and again.
#[derive(Debug)]
pub(super) struct Looker {
    unit: Option<(String, Judge)>,
    probes: Vec<Probe>,
    limit: Duration,
    client: Client,
    bus: Arc<SystemBus>,
}

impl Looker {
    pub(super) fn new(settings: &ServiceSettings, client: Client, bus: Arc<SystemBus>) -> Self {
        let judged = |unit: String| {
            let judge = Judge::new(&unit, settings.start_grace);
            (unit, judge)
        };
        Self {
            unit: settings.unit.as_deref().map(full_name).map(judged),
            probes: probes(settings),
            limit: settings.timeout,
            client,
            bus,
        }
    }

    pub(super) async fn look(&mut self) -> Seen {
        // Dropped with this look, and the probes with it.
        let mut running = JoinSet::new();
        for probe in self.probes.clone() {
            let (client, limit) = (self.client.clone(), self.limit);
            running.spawn(async move { probe.run(&client, limit).await });
        }
        let unit = match &self.unit {
            Some((name, _)) => Some(self.bus.unit(name, self.limit).await),
            None => None,
        };
        let probed = running.join_all().await;

        let mut seen = Seen { look: Look::Good, why: Vec::new(), unit: None, probes: Vec::new() };
        if let Some(unit) = unit {
            seen.take(self.judge(&unit));
            seen.unit = unit.ok();
        }
        for probe in probed {
            seen.probes.push((probe.probe, probe.took));
            if let Err(error) = probe.result {
                seen.take((Look::Bad, Some(chain_text(&error))));
            }
        }
        seen.probes.sort();
        if self.unit.is_none() && self.probes.is_empty() {
            let nothing = "there is nothing to look at: set unit, http or tcp";
            seen.take((Look::Bad, Some(nothing.to_owned())));
        }
        seen
    }

    fn judge(&mut self, unit: &Result<UnitState, UnitError>) -> (Look, Option<String>) {
        match (unit, &mut self.unit) {
            (Ok(state), Some((_, judge))) => judge.see(state, Instant::now()),
            (Err(error), _) => (Look::Bad, Some(chain_text(error))),
            (Ok(_), None) => (Look::Good, None),
        }
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

/// A unit's name as systemd knows it: `nginx` means `nginx.service`.
fn full_name(unit: &str) -> String {
    match unit.contains('.') {
        true => unit.to_owned(),
        false => format!("{unit}.service"),
    }
}

//! A timer of systemd that must run, have triggered not too long ago, and what it
//! started last must have ended well.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{Probe, ProbeError, Running, is_fresh};
use crate::health::means::Means;
use crate::health::settings::ServiceSettings;
use crate::health::unit::timer::TimerState;
use crate::health::unit::{UnitState, full_name};

pub(super) fn of(service: &ServiceSettings) -> Option<Arc<dyn Probe>> {
    let name = full_name(service.timer.as_deref()?, "timer");
    Some(Arc::new(Timer { name, limit: service.max_age }))
}

/// A timer, and how long ago it may have triggered.
#[derive(Debug)]
struct Timer {
    name: String,
    limit: Option<Duration>,
}

impl Probe for Timer {
    fn label(&self) -> &'static str {
        "timer"
    }

    fn target(&self) -> String {
        self.name.clone()
    }

    fn run<'a>(&'a self, means: &'a Means, limit: Duration) -> Running<'a> {
        Box::pin(async move {
            let (state, timer) = means.bus.timer(&self.name, limit).await?;
            self.runs(&state)?;
            let started = match timer.unit.is_empty() {
                true => return Err(self.failed("triggers nothing".to_owned())),
                false => means.bus.unit(&timer.unit, limit).await?,
            };
            self.judge(&timer, &started, SystemTime::now())
        })
    }
}

impl Timer {
    fn failed(&self, why: String) -> ProbeError {
        ProbeError::Timer { timer: self.name.clone(), why }
    }

    fn runs(&self, state: &UnitState) -> Result<(), ProbeError> {
        match (state.load.as_str(), state.active.as_str()) {
            (_, "active") => Ok(()),
            ("loaded", active) => Err(self.failed(format!("is {active} and triggers nothing"))),
            (load, _) => Err(self.failed(format!("is {load}"))),
        }
    }

    fn judge(
        &self,
        timer: &TimerState,
        started: &UnitState,
        now: SystemTime,
    ) -> Result<(), ProbeError> {
        let why = match (started.load.as_str(), started.result.as_deref()) {
            ("loaded", None | Some("success")) if started.active != "failed" => None,
            ("loaded", _) => Some(started.ended()),
            (load, _) => Some(format!("it is {load}")),
        };
        if let Some(why) = why {
            return Err(self.failed(format!("triggers {}, which has failed: {why}", timer.unit)));
        }
        // One that has not triggered yet has had this long since it was started.
        let (what, then) = match timer.triggered {
            Some(then) => (format!("{} last triggered", self.name), then),
            None => match timer.active_since {
                Some(then) => (format!("{} has never triggered and was started", self.name), then),
                None => return Err(self.failed("has never triggered".to_owned())),
            },
        };
        is_fresh(&what, then, now, self.limit)
    }
}

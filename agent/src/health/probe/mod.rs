//! Probes: does the service do its work? Each has its own deadline and says how
//! long it took, also when it ran out of time.
//!
//! To add a kind: a file beside `tcp.rs` with an `of`, a line in `KINDS`, and its
//! keys in `ServiceSettings`.

mod error;
mod exec;
mod file;
mod http;
mod tcp;
mod timer;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

pub use self::error::ProbeError;
use super::means::Means;
use super::settings::ServiceSettings;

/// Makes the probe that the settings of a service ask for, if they do.
type Of = fn(&ServiceSettings) -> Option<Arc<dyn Probe>>;

/// Every kind.
const KINDS: &[Of] = &[exec::of, file::of, http::of, tcp::of, timer::of];

/// A probe at work.
pub type Running<'a> = Pin<Box<dyn Future<Output = Result<(), ProbeError>> + Send + 'a>>;

/// One probe of a service.
pub trait Probe: fmt::Debug + Send + Sync {
    /// The kind, as a label.
    fn label(&self) -> &'static str;

    /// What is probed, for people.
    fn target(&self) -> String;

    /// How long it may take where the service's probes usually have `usual`.
    fn limit(&self, usual: Duration) -> Duration {
        usual
    }

    /// Whether it runs a program, which few may do at a time.
    fn takes_turns(&self) -> bool {
        false
    }

    /// Probes once. What it has begun ends when this is dropped.
    fn run<'a>(&'a self, means: &'a Means, limit: Duration) -> Running<'a>;
}

/// What came of a probe.
#[derive(Debug)]
pub struct Probed {
    /// The kind of probe, as a label.
    pub probe: &'static str,
    /// How long it took; the whole deadline where no answer came in time, so
    /// that an alarm on slowness sees the worst case and not a gap.
    pub took: Duration,
    /// Why it failed, where it did.
    pub result: Result<(), ProbeError>,
}

/// The probes of a service.
pub fn probes(service: &ServiceSettings) -> Vec<Arc<dyn Probe>> {
    KINDS.iter().filter_map(|of| of(service)).collect()
}

/// Runs a probe until its deadline. Waiting for its turn is no fault of the service
/// and does not count.
pub async fn run(probe: &dyn Probe, means: &Means, usual: Duration) -> Probed {
    let limit = probe.limit(usual);
    let _turn = match probe.takes_turns() {
        // Nobody closes the semaphore.
        true => means.turns.acquire().await.ok(),
        false => None,
    };
    let started = Instant::now();
    let (took, result) = match tokio::time::timeout(limit, probe.run(means, limit)).await {
        Ok(result) => (started.elapsed().min(limit), result),
        Err(_) => (limit, Err(ProbeError::Timeout { target: probe.target(), limit })),
    };
    Probed { probe: probe.label(), took, result }
}

/// How far ahead of the clock a time may be. Clocks are set, and a look takes a while.
const AHEAD: Duration = Duration::from_secs(300);

/// Whether what happened `then` is no longer ago than `limit`. A time that is still to
/// come would never get too old, so that it says nothing.
fn is_fresh(
    what: &str,
    then: SystemTime,
    now: SystemTime,
    limit: Option<Duration>,
) -> Result<(), ProbeError> {
    let what = || what.to_owned();
    match now.duration_since(then) {
        Ok(age) => match limit.filter(|limit| age > *limit) {
            Some(limit) => Err(ProbeError::Old { what: what(), age: rough(age), limit }),
            None => Ok(()),
        },
        Err(ahead) if ahead.duration() <= AHEAD => Ok(()),
        Err(ahead) => Err(ProbeError::Ahead { what: what(), ahead: rough(ahead.duration()) }),
    }
}

/// A length of time as people would say it: the first parts of it.
fn rough(length: Duration) -> Duration {
    let seconds = length.as_secs();
    let unit = match seconds {
        0..3600 => 1,
        3600..86_400 => 60,
        _ => 3600,
    };
    Duration::from_secs(seconds / unit * unit)
}

#[cfg(test)]
mod tests;

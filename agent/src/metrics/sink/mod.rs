//! Where samples go: one destination a file.
//!
//! To add a sink: a file with its `settings!` and a type that implements
//! `Sink`, a `mod` line, and one line in `registry`. Queueing, retry and
//! statistics are in the driver.

mod authorization;
/// Amazon CloudWatch.
pub mod cloudwatch;
/// Why a sink cannot be set up, or could not send.
pub mod error;
/// Lines in gild's own log.
pub mod log;
/// OpenTelemetry: CloudWatch's endpoint for it, and any collector.
pub mod otlp;
#[cfg(test)]
mod receiver;
mod registry;
/// Prometheus remote write: Mimir, Prometheus, VictoriaMetrics.
pub mod remote_write;
mod supplies;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub use self::error::{BuildError, SendError, SetUpError};
pub use self::registry::SinkSettings;
pub use self::supplies::{SinkContext, SpoolSupply, Supplies};
use super::drops::Drops;
use super::left_out::LeftOut;
use super::sample::Tick;
use crate::config::SecretRef;
use crate::cost::usage::Usage;
use crate::identity::Identity;

/// One request, ready to be sent.
#[derive(Debug)]
pub struct Request<P> {
    /// What is sent.
    pub payload: P,
    /// How many measurements it holds.
    pub measurements: usize,
}

/// Where a sink's series go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// What tells receivers apart.
    pub receiver: String,
    /// The labels on every series.
    pub labels: Vec<(String, String)>,
}

/// A destination. The driver calls `take` for each tick in order, then `flush`,
/// and sends every request that comes back.
pub trait Sink: Sized + Send + 'static {
    /// What can be configured about it.
    type Settings;
    /// What one request holds.
    type Payload: Send + Sync + 'static;

    /// Whether ticks wait on disk while its receiver cannot be reached.
    const SPOOLS: bool = true;

    /// Whether it compares each tick with the one before.
    const COMPARES: bool = false;

    /// Whether it needs [`SinkContext::aws`] as it is configured.
    fn needs_aws(_: &Self::Settings) -> bool {
        false
    }

    /// What its receivers are called, and such a URL: for reckoning what a sink would cost that
    /// is not configured. Nothing is sent there. Without any, its settings need no URL.
    const RECEIVERS: &'static [(&'static str, &'static str)] = &[];

    /// Sets the sink up; sends nothing.
    fn build(
        settings: &Self::Settings,
        identity: &Identity,
        context: &SinkContext,
    ) -> Result<Self, BuildError>;

    /// Takes what only a sink needs that will send: a preview is built without.
    fn connect(self, _: &Self::Settings, _: &SinkContext) -> Result<Self, BuildError> {
        Ok(self)
    }

    /// The secrets that `build` and `connect` ask the context for.
    fn secrets(_: &Self::Settings) -> Vec<SecretRef> {
        Vec::new()
    }

    /// Whether its requests carry secrets, which a receiver may refuse.
    fn has_secrets(&self) -> bool {
        false
    }

    /// Takes over the secrets of a sink that was set up anew.
    fn renew(&mut self, _: Self) {}

    /// Where its series go; nothing for a sink whose series need no end.
    fn destination(_: &Self::Settings, _: &Identity) -> Option<Destination> {
        None
    }

    /// The time from one flush to the next.
    fn period(&self) -> Duration;

    /// The time from the start to the first flush.
    fn phase(&self) -> Duration {
        Duration::ZERO
    }

    /// How long sending one request may take.
    fn timeout(&self) -> Duration;

    /// Takes a tick in, and gives back what can be sent for it alone.
    fn take(&mut self, tick: &Arc<Tick>, drops: &mut Drops) -> Vec<Request<Self::Payload>>;

    /// Gives back what can be sent now for all ticks taken; `all` that is left where
    /// somebody asks for it, as at the end.
    fn flush(&mut self, _all: bool, _drops: &mut Drops) -> Vec<Request<Self::Payload>> {
        Vec::new()
    }

    /// What is sent last, after all else has been delivered: which series come to an end
    /// with this sink. A sink that takes its place goes on with some of them.
    fn farewell(
        &mut self,
        _at: SystemTime,
        _heir: Option<&Destination>,
    ) -> Vec<Request<Self::Payload>> {
        Vec::new()
    }

    /// How many measurements it holds between `take` and `flush`. They count as
    /// lost where the sink is ended before it gives them back.
    fn held(&self) -> usize {
        0
    }

    /// The oldest moment of which it holds something between `take` and `flush`: what was
    /// measured since then is not delivered.
    fn holds_since(&self) -> Option<SystemTime> {
        None
    }

    /// Takes a tick in that was delivered by an earlier process, to compare the next one
    /// with.
    fn prime(&mut self, _: &Tick) {}

    /// Sends one request.
    fn send(
        &mut self,
        payload: &Self::Payload,
    ) -> impl Future<Output = Result<(), SendError>> + Send;

    /// What the receiver left out of the request that it took last: how many measurements,
    /// and why.
    fn refused_of_last(&mut self) -> Option<(usize, SendError)> {
        None
    }

    /// The halves of a request that the receiver refused for what is in it; nothing
    /// where it holds but one thing.
    fn halves(&self, _: &Self::Payload) -> Option<[Request<Self::Payload>; 2]> {
        None
    }

    /// Leaves out for a while what the receiver refused by itself while it took
    /// the rest.
    fn leave_out(&mut self, _: Self::Payload) {}

    /// What it leaves out because it may send no more metrics, where it has such a limit.
    fn left_out(&self) -> Option<&LeftOut> {
        None
    }

    /// What one host sends, and by which tariff that is billed; nothing at all where it leaves
    /// the host for no receiver. `requests` are those of one tick and of all that is held after
    /// it, and `between` is the time between two ticks.
    fn usage(&self, _requests: &[Request<Self::Payload>], _between: Duration) -> Usage {
        Usage::default()
    }

    /// A request as people read it, without anything secret.
    fn show(&self, payload: &Self::Payload) -> Vec<String>;
}

/// Whether the wall clock can be right. A sample from the past may be refused, and
/// one from the future can shut out everything that comes after it.
pub fn plausible(at: SystemTime) -> bool {
    // The start of 2024, and that of 2100: gild is younger, and will not become as old.
    let year = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    (year(1_704_067_200)..year(4_102_444_800)).contains(&at)
}

/// A part of `period` that is this host's own, so that a fleet that started
/// together does not send together.
pub(crate) fn phase(instance_id: &str, period: Duration) -> Duration {
    let mut hasher = DefaultHasher::new();
    instance_id.hash(&mut hasher);
    period.mul_f64(hasher.finish() as f64 / u64::MAX as f64)
}

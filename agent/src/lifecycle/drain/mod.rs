//! Draining: what is done before the instance ends, once in a boot, within the time
//! that is left, while everything is still up.
//!
//! `occasion` finds out why, from the caller, the daemon's request, `systemd` and the
//! metadata service; `limit` says how long that may take; `steps` runs one step; `end`
//! is what follows them; `record` remembers it. To add what is done for every instance,
//! add it to `end`; a new occasion is a choice of `settings::Occasion` and what finds it
//! in `occasion`.

mod end;
/// How long it may take.
pub mod limit;
/// Why.
pub mod occasion;
/// What came of it.
pub mod record;
/// The steps.
pub mod steps;
/// What systemd says of the end of this host.
pub mod systemd;

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use self::occasion::{Asked, Reason, ReasonError};
use self::record::{Record, StepOutcome, StepRecord};
use crate::config::Settings;
use crate::configure::Lock;
use crate::configure::lock::LockError;
use crate::configure::process::Stop;
use crate::identity::{Identity, Provenance, host};
use crate::lifecycle::hook::keep_terminating;
use crate::lifecycle::settings::Occasion;
use crate::notify::announce::Audience;
use crate::platform::clock;
use crate::platform::error::chain_text;
use crate::scope::Context;

/// How often the end of another drain is looked for.
const LOOK: Duration = Duration::from_millis(100);

/// An instance that may be drained.
pub struct Drain<'a> {
    /// Where things are, and how to reach others.
    pub context: &'a Context,
    /// What is configured.
    pub settings: &'a Settings,
    /// The instance, where it is known.
    pub identity: Option<&'a Identity>,
    /// Who says why.
    pub asked: Asked,
    /// Whether to do it once more.
    pub force: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Drained {
    /// The instance has been drained now.
    Now(Record),
    /// It had been drained in this boot already.
    Before(Record),
    /// Somebody else is at it.
    Busy(Option<u32>),
    /// Our unit was stopped, and the host does not go down.
    NotEnding,
    /// It was broken off; the next one goes on.
    BrokenOff,
}

/// The instance cannot be drained.
#[derive(Debug, thiserror::Error)]
pub enum DrainError {
    /// It is not known why it should be.
    #[error("failed to find out why this instance is drained")]
    Reason(#[from] ReasonError),
    /// It cannot be made sure that it is done once.
    #[error("failed to make sure that this instance is drained once")]
    Lock(#[source] LockError),
}

impl Drain<'_> {
    /// Drains the instance, or says why not. Broken off when `stop` is ready.
    pub async fn run(&self, stop: impl Future<Output = ()>) -> Result<Drained, DrainError> {
        if let Some(record) = self.recorded().filter(|record| record.ended_at.is_some()) {
            return Ok(Drained::Before(record));
        }
        let mut lock = self.lock()?;
        if let Err(holder) = lock
            && self.asked != Asked::AtStop
        {
            return Ok(Drained::Busy(holder));
        }
        let on_ec2 = self.identity.is_none_or(|known| known.provenance == Provenance::Imds);
        let Some(reason) = occasion::find(self.asked, self.context, on_ec2).await? else {
            return Ok(Drained::NotEnding);
        };
        let end = Instant::now() + reason.limit;
        // Where the host goes down, the one that is at work is left to finish.
        while let Err(holder) = lock {
            if Instant::now() >= end {
                return Ok(Drained::Busy(holder));
            }
            sleep(LOOK).await;
            lock = self.lock()?;
        }
        let record = match self.recorded() {
            Some(record) if record.ended_at.is_some() => return Ok(Drained::Before(record)),
            Some(mut record) => {
                tracing::info!(occasion = record.occasion, "draining goes on");
                record.go_on();
                record
            }
            None => {
                let occasion = reason.occasion.word();
                tracing::info!(occasion, "this instance is drained");
                Record::begun(reason.occasion, host::boot_id(&self.context.paths))
            }
        };
        let is_awaited = reason.occasion.is_awaited();
        let awaited = async {
            if is_awaited {
                keep_terminating(self.context, &self.settings.lifecycle).await;
            }
        };
        let work = Work { drain: self, audience: self.audience(), record };
        let stop = pin!(stop);
        let mut work = pin!(work.run(reason, end, stop));
        tokio::select! {
            drained = &mut work => drained,
            () = awaited => work.await,
        }
    }

    /// What is written down of this boot, unless all of it is to be done once more.
    fn recorded(&self) -> Option<Record> {
        if self.force {
            return None;
        }
        let paths = &self.context.paths;
        let found = Record::load(paths).unwrap_or_else(|error| {
            tracing::warn!("{}", chain_text(&error));
            None
        });
        found.filter(|record| record.is_of_this_boot(paths))
    }

    /// The lock, or who has it.
    fn lock(&self) -> Result<Result<Lock, Option<u32>>, DrainError> {
        match Lock::acquire(&self.context.paths.drain_lock()) {
            Ok(lock) => Ok(Ok(lock)),
            Err(LockError::Held { holder }) => Ok(Err(holder)),
            Err(error) => Err(DrainError::Lock(error)),
        }
    }

    /// Who is told. What is secret in that is masked from here, in the steps' output too.
    fn audience(&self) -> Audience {
        Audience::of(self.settings, self.identity, &self.context.redactor)
    }
}

/// Draining under way.
struct Work<'a> {
    drain: &'a Drain<'a>,
    audience: Audience,
    record: Record,
}

impl Work<'_> {
    async fn run(
        mut self,
        reason: Reason,
        end: Instant,
        mut stop: Stop<'_>,
    ) -> Result<Drained, DrainError> {
        let begun = Instant::now();
        // What was begun for one reason is not gone on with for another.
        let occasion = Occasion::named(&self.record.occasion).unwrap_or(reason.occasion);
        let last = begun + limit::of_steps(reason.limit);
        self.save();
        for (name, step) in steps::due(&self.drain.settings.lifecycle, occasion) {
            if self.record.knows(name) {
                continue;
            }
            let left = last.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.note(name, StepOutcome::Skipped, Some("no time was left".to_owned()), left);
                continue;
            }
            if is_ready(stop.as_mut()).await {
                return Ok(Drained::BrokenOff);
            }
            self.note(name, StepOutcome::Running, None, Duration::ZERO);
            let Context { paths, redactor, .. } = self.drain.context;
            let limit = step.timeout.min(left);
            let run = steps::Run { paths, redactor, occasion, name, step, limit };
            let started = Instant::now();
            let (outcome, message) = run.run(stop.as_mut()).await;
            self.record.steps.pop();
            self.note(name, outcome, message, started.elapsed());
            if outcome == StepOutcome::Interrupted {
                return Ok(Drained::BrokenOff);
            }
        }
        let followed = end::follow(&self, occasion, begun.elapsed(), end);
        tokio::select! {
            () = followed => {}
            () = stop => return Ok(Drained::BrokenOff),
        }
        self.record.ended_at = Some(clock::now_text());
        self.save();
        Ok(Drained::Now(self.record))
    }

    /// Writes down what became of a step.
    fn note(&mut self, name: &str, outcome: StepOutcome, message: Option<String>, took: Duration) {
        let duration_ms = clock::ms(took);
        match outcome {
            StepOutcome::Running => tracing::info!(step = name, "a step is started"),
            StepOutcome::Ok => tracing::info!(step = name, ms = duration_ms, "a step is over"),
            _ => {
                let message = message.as_deref().unwrap_or_default();
                tracing::error!(step = name, ms = duration_ms, "a step failed: {message}");
            }
        }
        let name = name.to_owned();
        self.record.steps.push(StepRecord { name, outcome, duration_ms, message });
        self.save();
    }

    /// Writes the record. Without it another one may do the same again, which is better
    /// than to leave the instance as it is.
    fn save(&self) {
        if let Err(error) = self.record.save(&self.drain.context.paths) {
            tracing::warn!("{}", chain_text(&error));
        }
    }
}

/// Whether a future is ready now.
async fn is_ready(future: Stop<'_>) -> bool {
    tokio::select! {
        biased;
        () = future => true,
        () = std::future::ready(()) => false,
    }
}

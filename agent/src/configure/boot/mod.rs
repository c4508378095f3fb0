//! One boot from beginning to end: resolve, hand off, decide, run the step,
//! report. `gild configure`, `gild up` and `gild bake` are this, with other ears.
//!
//! The report is written at each phase, so that whoever asks meanwhile, or
//! after a crash, finds how far the boot had come.

/// Who is told what came of it.
mod announce;
/// The step.
mod configure;
/// The group that waits.
mod lifecycle;
/// The phases in their order.
mod phases;
/// The playbook, wherever it is.
mod playbook;
/// What a resolution leaves.
mod resolved;
/// Secrets in the data of the playbook.
mod reveal;
/// The way back after a step that failed.
mod rollback;
/// Where the time goes.
mod timing;

use std::path::PathBuf;
use std::time::Instant;

use super::events::Progress;
use super::lock::{Lock, LockError};
use super::report::{Decision, Outcome, PhaseOutcome, Report};
use super::store::ReportError;
use crate::identity::host;
use crate::platform::clock;
use crate::scope::last_good::{Copies, Memory};
use crate::scope::{Context, Resolution};
use phases::Boot;

/// What a boot is told.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Run the step whatever the policy says.
    pub force: bool,
    /// Change nothing: only show what the step would do.
    pub plan: bool,
    /// An image is made of this host.
    pub bake: Option<Bake>,
    /// The directory that a relative playbook path is below.
    pub base: Option<PathBuf>,
    /// When it began, where that was earlier: the process had to start.
    pub since: Option<Instant>,
    /// Sockets at which a daemon may answer that tells of a good boot, so that
    /// nobody who waits for the boot waits for the receivers too.
    pub daemons: Vec<PathBuf>,
}

/// How an image is made.
#[derive(Debug, Clone)]
pub struct Bake {
    /// The tags to run in place of those that are configured.
    pub tags: Vec<String>,
    /// Whether the image takes along the documents that were fetched.
    pub seed: bool,
}

impl Options {
    /// Whether it is no boot of this instance, but a plan of one or the making of an image:
    /// nobody waits for it, is told of it, or goes on from it.
    fn is_apart(&self) -> bool {
        self.plan || self.bake.is_some()
    }
}

/// Who follows a boot as it happens.
pub trait Watcher: Send {
    /// The configuration is known.
    fn resolved(&mut self, resolution: &Resolution);
    /// Whether the step runs, and why.
    fn decided(&mut self, decision: &Decision);
    /// Something happened in the step.
    fn progress(&mut self, progress: &Progress);
}

/// A boot that could not leave a report.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// A directory could not be made.
    #[error("failed to make the directory '{}'", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another configuration step is running, or the lock cannot be had.
    #[error("failed to begin the configuration step")]
    Lock(#[source] LockError),
    /// The report could not be written.
    #[error("failed to leave a report")]
    Report(#[source] ReportError),
}

/// Runs one boot to its end and leaves its report. Only a boot that cannot
/// leave a report is an error; everything else is an outcome.
pub async fn boot(
    context: &Context,
    options: &Options,
    watcher: &mut dyn Watcher,
    cancel: impl Future<Output = ()>,
) -> Result<Report, BootError> {
    let paths = &context.paths;
    let entered = Instant::now();
    // A plan writes nothing but the lock and, while it is made, what its step needs.
    let written = if options.plan { vec![paths.run()] } else { vec![paths.run(), paths.state()] };
    for directory in written {
        crate::platform::fs::create_dir(directory, 0o755)
            .map_err(|source| BootError::Directory { path: directory.to_owned(), source })?;
    }
    let mut context = context.clone();
    if options.plan || options.bake.as_ref().is_some_and(|bake| !bake.seed) {
        context.copies = Copies::Remembered(Memory::default());
    }
    let context = &context;
    let _lock = Lock::acquire(&paths.lock()).map_err(BootError::Lock)?;
    let mut report = Report::started(&clock::now_text());
    report.boot_id = host::boot_id(paths);
    let mut boot = Boot::new(context, options, report, options.since.unwrap_or(entered));
    if let Some(since) = options.since {
        boot.phase("start", PhaseOutcome::Ok, entered.saturating_duration_since(since));
    }
    boot.save()?;
    let failure = boot.run(watcher, cancel).await?;
    boot.report.outcome = match &failure {
        Some(_) if !boot.rolled_back => Outcome::Failed,
        None if !boot.degraded => Outcome::Ready,
        _ => Outcome::Degraded,
    };
    boot.report.failure = failure;
    boot.report.ended_at = Some(clock::now_text());
    boot.report.duration_ms = Some(clock::ms(boot.began.elapsed()));
    boot.save()?;
    boot.keep();
    // The group hears of it beside everybody else.
    boot.signal();
    let announced = boot.announce().await;
    if boot.signalled().await || announced {
        boot.keep();
    }
    Ok(boot.report.redacted(&context.redactor))
}

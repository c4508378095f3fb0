//! `gild notify failed-boot`: for systemd, where `configure` could not tell by itself.

use std::fs;
use std::process::ExitCode;
use std::time::Duration;

use crate::cli::Failure;
use crate::cli::context::Globals;
use crate::cli::known::known;
use crate::config::Settings;
use crate::configure::lock::Lock;
use crate::configure::report::{self, Outcome, Report};
use crate::identity::{Identity, host};
use crate::lifecycle::hook::find::Subject;
use crate::lifecycle::hook::waiting::{PATIENCE, Waiting};
use crate::lifecycle::hook::{Side, Word};
use crate::notify::Supplies;
use crate::notify::announce::Audience;
use crate::notify::message::Message;
use crate::platform::clock;
use crate::platform::error::chain_text;
use crate::platform::paths::Paths;
use crate::scope::Context;

/// How long the metadata service may take where nothing says which instance
/// this is.
const IDENTITY_BUDGET: Duration = Duration::from_secs(5);

pub(super) async fn run(globals: &Globals) -> Result<ExitCode, Failure> {
    let mut context = globals.context(globals.installed(), None)?;
    context.imds.budget = IDENTITY_BUDGET;
    let Some(report) = left(&context.paths) else {
        tracing::info!("a configuration step is running");
        return Ok(ExitCode::SUCCESS);
    };
    tidy(&context.paths);
    let (settings, identity) = known(&context).await?;
    let audience = Audience::of(&settings, identity.as_ref(), &context.redactor);
    let Context { paths, client, redactor, .. } = &context;
    let supplies = Supplies::new(paths, client, redactor, audience.region());
    let abandoned = abandon(&context, &settings, identity.as_ref(), &report);
    // Where the boot has told of its end, this is a repetition and goes nowhere.
    let told = audience.tell(Message::of(&report, None), paths, &supplies, &[]);
    tokio::join!(abandoned, told);
    Ok(ExitCode::SUCCESS)
}

/// Tells the autoscaling group that waits for a failed boot, where the boot has not.
async fn abandon(
    context: &Context,
    settings: &Settings,
    identity: Option<&Identity>,
    report: &Report,
) {
    let is_told = report.lifecycle.as_ref().is_some_and(|told| !told.owed);
    let Some(identity) = identity.filter(|_| report.outcome == Outcome::Failed && !is_told) else {
        return;
    };
    let (client, imds) = (&context.client, &context.imds);
    let subject = Subject::new(client, imds, identity, &settings.lifecycle, Side::Launch);
    let Some(subject) = subject else { return };
    let mut waiting = Waiting::new(subject, Duration::ZERO, &context.paths, PATIENCE);
    waiting.end(Word::Abandon);
    waiting.told().await;
}

/// The report that the boot left; `None` where the boot is still at work.
fn left(paths: &Paths) -> Option<Report> {
    let report = Report::load(&paths.report()).unwrap_or_else(|error| {
        tracing::warn!("{}", chain_text(&error));
        None
    });
    let nothing = || {
        let mut report = Report::started(&clock::now_text());
        report.boot_id = host::boot_id(paths);
        report.process = None;
        report
    };
    let mut report = report.unwrap_or_else(nothing);
    if report.outcome != Outcome::Running {
        return Some(report);
    }
    if report.process.is_some_and(|process| process.is_alive()) {
        return None;
    }
    let last = report.phases.last().map(|phase| format!("; its last phase was '{}'", phase.name));
    let message = format!("configure ended without a report{}", last.unwrap_or_default());
    report.outcome = Outcome::Failed;
    report.failure = Some(report::Failure::of(&message));
    Some(report)
}

/// Removes what a step that was killed has left in memory: secrets are among its variables.
/// Whoever holds the lock is at work on a step of its own.
fn tidy(paths: &Paths) {
    if !paths.step().exists() {
        return;
    }
    let Ok(_lock) = Lock::acquire(&paths.lock()) else { return };
    if let Err(error) = fs::remove_dir_all(paths.step()) {
        tracing::warn!(%error, "what a killed step has left cannot be removed");
    }
}

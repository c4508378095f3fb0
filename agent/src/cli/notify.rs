//! `gild notify`: for systemd, where `configure` could not tell by itself.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::Failure;
use super::context::Globals;
use crate::config::Settings;
use crate::configure::handoff::Handoff;
use crate::configure::report::{self, Outcome, Report};
use crate::identity::{Identity, discover, host};
use crate::notify::Supplies;
use crate::notify::announce::Audience;
use crate::notify::message::Message;
use crate::platform::clock;
use crate::platform::error::chain_text;
use crate::platform::paths::Paths;
use crate::scope::{Context, resolve};

/// How long the metadata service may take where nothing says which instance
/// this is.
const IDENTITY_BUDGET: Duration = Duration::from_secs(5);

/// Tell those whom [notify] names.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Tell of a boot that failed without telling of it itself.
    FailedBoot,
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let Verb::FailedBoot = arguments.verb;
    let mut context = globals.context(globals.installed(), None)?;
    context.imds.budget = IDENTITY_BUDGET;
    let Some(report) = left(&context.paths) else {
        tracing::info!("a configuration step is running");
        return Ok(ExitCode::SUCCESS);
    };
    let (settings, identity) = known(&context).await?;
    let audience = Audience::of(&settings, identity.as_ref(), &context.redactor);
    let Context { paths, client, redactor, .. } = &context;
    let supplies = Supplies::new(paths, client, redactor, audience.region());
    // Where the boot has told of its end, this is a repetition and goes nowhere.
    audience.tell(Message::of(&report, None), paths, &supplies, &[]).await;
    Ok(ExitCode::SUCCESS)
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

/// What is configured and who this is: what the boot handed over, else what the
/// host itself says.
async fn known(context: &Context) -> Result<(Settings, Option<Identity>), Failure> {
    let handoff = Handoff::read(&context.paths.config()).unwrap_or_else(|error| {
        tracing::warn!("{}", chain_text(&error));
        None
    });
    if let Some(handoff) = handoff
        && let Some(settings) = Settings::typed(&handoff.config).settings
    {
        return Ok((settings, Some(handoff.identity)));
    }
    let settings = resolve::host_alone(&context.paths)?.settings;
    let identity = match discover(&context.imds, &context.paths).await {
        Ok(found) => Some(found.identity),
        Err(error) => {
            tracing::warn!("{}", chain_text(&error));
            None
        }
    };
    Ok((settings, identity))
}

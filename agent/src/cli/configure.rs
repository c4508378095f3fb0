//! `gild configure`: one boot's work, by systemd or by hand.

use std::process::ExitCode;
use std::time::Instant;

use clap::Args;

use super::context::Globals;
use super::{Failure, up};
use crate::configure::boot::{self, Options, Watcher};
use crate::configure::events::Progress;
use crate::configure::report::{Decision, Outcome, SourceOutcome, TaskOutcome};
use crate::platform::{process, signals};
use crate::scope::Resolution;

/// Resolve the configuration, run the configuration step, leave a report.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Run the step whatever `configuration.run` says.
    #[arg(long)]
    force: bool,
    /// Change nothing: show what the step would do.
    #[arg(long)]
    plan: bool,
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let paths = globals.installed();
    let options = Options {
        force: arguments.force,
        plan: arguments.plan,
        base: None,
        // By the kernel's word: what came before `main` counts too.
        since: Instant::now().checked_sub(process::own_age()),
        daemons: vec![paths.socket(), paths.own_socket()],
    };
    let context = globals.context(paths, None)?;
    let mut journal = Journal;
    let report = boot::boot(&context, &options, &mut journal, signals::asked_to_stop()).await?;
    if arguments.plan {
        super::print(&globals.redactor, &up::tasks_text(&report));
    }
    match (&report.failure, report.outcome) {
        (Some(failure), _) => {
            let task = failure.task.as_deref().unwrap_or("none");
            tracing::error!(task, "the boot failed: {}", failure.message);
            Ok(ExitCode::FAILURE)
        }
        (None, Outcome::Degraded) => {
            tracing::warn!("the boot is degraded: {}", report.problems.join("; "));
            Ok(ExitCode::SUCCESS)
        }
        (None, _) => {
            tracing::info!("ready");
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Tells the journal what happens.
struct Journal;

impl Watcher for Journal {
    fn resolved(&mut self, resolution: &Resolution) {
        for source in &resolution.sources {
            let state = source.state;
            match &source.error {
                None => tracing::info!(
                    layer = %source.layer, source = source.source, ?state, keys = source.keys,
                    attempts = source.attempts, elapsed_ms = source.elapsed_ms, "a source was read"
                ),
                Some(why) if state == SourceOutcome::Kept => {
                    tracing::info!(layer = %source.layer, source = source.source, ?state, "{why}");
                }
                Some(error) => tracing::warn!(
                    layer = %source.layer, source = source.source, ?state,
                    attempts = source.attempts, elapsed_ms = source.elapsed_ms, "{error}"
                ),
            }
        }
        for finding in &resolution.problems {
            tracing::warn!("{finding}");
        }
        for refused in &resolution.refused {
            tracing::warn!(key = %refused.key, origin = %refused.origin, "{}", refused.reason);
        }
        tracing::info!(digest = resolution.digest, "the configuration is resolved");
    }

    fn decided(&mut self, decision: &Decision) {
        tracing::info!(run = decision.run, "the step: {}", decision.reason);
    }

    fn progress(&mut self, progress: &Progress) {
        let Progress::Ended(task) = progress else { return };
        match task.outcome {
            TaskOutcome::Failed | TaskOutcome::Unreachable => {
                let message = task.message.as_deref().unwrap_or("it gave no message");
                tracing::error!(task = task.name, "{message}");
            }
            outcome => {
                tracing::info!(task = task.name, ?outcome, ms = task.duration_ms, "a task is over")
            }
        }
    }
}

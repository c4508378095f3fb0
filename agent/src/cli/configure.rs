//! `gild configure`: one boot's work, by systemd or by hand.

use std::process::ExitCode;
use std::time::Instant;

use clap::Args;

use super::context::Globals;
use super::paint::Paint;
use super::{Failure, config, up};
use crate::config::difference;
use crate::config::node::Node;
use crate::configure::applied::{self, Applied};
use crate::configure::boot::{self, Options, Watcher};
use crate::configure::events::Progress;
use crate::configure::report::{Decision, Outcome, Report, SourceOutcome, TaskOutcome};
use crate::platform::error::chain_text;
use crate::platform::paths::Paths;
use crate::platform::{process, signals};
use crate::scope::Resolution;

/// Resolve the configuration, run the configuration step, leave a report.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Run the step whatever `configuration.run` says.
    #[arg(long)]
    force: bool,
    /// Change nothing: show what differs from what was applied last, and what the
    /// step would do.
    #[arg(long)]
    plan: bool,
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let paths = globals.installed();
    let options = Options {
        force: arguments.force,
        plan: arguments.plan,
        bake: None,
        base: None,
        // By the kernel's word: what came before `main` counts too.
        since: Instant::now().checked_sub(process::own_age()),
        daemons: vec![paths.socket(), paths.own_socket()],
    };
    let context = globals.context(paths, None)?;
    let mut journal = Journal { plan: arguments.plan, ..Journal::default() };
    let report = boot::boot(&context, &options, &mut journal, signals::asked_to_stop()).await?;
    if arguments.plan {
        let mut text = journal.changes(&context.paths);
        text.push_str(&up::tasks_text(&report));
        super::print(&globals.redactor, &text);
    }
    Ok(ended(&report, "boot", "ready"))
}

/// Says what came of a boot or a bake, and what to exit with.
pub(super) fn ended(report: &Report, what: &str, well: &str) -> ExitCode {
    match (&report.failure, report.outcome) {
        (_, Outcome::Degraded) => {
            tracing::warn!("the {what} is degraded: {}", report.problems.join("; "));
            ExitCode::SUCCESS
        }
        (Some(failure), _) => {
            let task = failure.task.as_deref().unwrap_or("none");
            tracing::error!(task, "the {what} failed: {}", failure.message);
            ExitCode::FAILURE
        }
        (None, _) => {
            tracing::info!("{well}");
            ExitCode::SUCCESS
        }
    }
}

/// Tells the journal what happens, and remembers what a plan shows.
#[derive(Default)]
pub(super) struct Journal {
    plan: bool,
    /// The instance and what its step is made of.
    resolved: Option<(String, Node)>,
    decision: Option<Decision>,
}

impl Journal {
    /// What the configuration changes for the step, and whether the step would run.
    fn changes(&self, paths: &Paths) -> String {
        let Some((instance_id, now)) = &self.resolved else { return String::new() };
        let applied = Applied::load(&paths.applied(), instance_id).unwrap_or_else(|error| {
            tracing::warn!("{}", chain_text(&error));
            None
        });
        let mut text = match applied {
            Some(applied) => {
                let changes = difference::between(&applied.config, now);
                let lines = config::lines(&changes, None, Paint::stdout());
                format!("the configuration, beside what was applied at {}\n{lines}", applied.at)
            }
            None => "nothing has been applied on this instance yet\n".to_owned(),
        };
        if let Some(Decision { run, reason }) = &self.decision {
            let verb = if *run { "would run" } else { "would not run" };
            text.push_str(&format!("the step {verb}: {reason}; it would do this\n"));
        }
        text
    }
}

impl Watcher for Journal {
    fn resolved(&mut self, resolution: &Resolution) {
        let identity = resolution.identity.as_ref().filter(|_| self.plan);
        self.resolved = identity.map(|identity| {
            (identity.instance_id.clone(), applied::of_step(&resolution.merged.root))
        });
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
        self.decision = Some(decision.clone());
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

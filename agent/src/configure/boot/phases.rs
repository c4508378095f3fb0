//! The phases of a boot in their order, and what ends them early.

use std::error::Error;
use std::time::Duration;

use super::reveal::hand_secrets;
use super::{BootError, Options, Watcher};
use crate::configure::handoff::{self, Handoff, HandoffError};
use crate::configure::report::{Failure, Phase, PhaseOutcome, Report, one_line};
use crate::lifecycle::hook::waiting::Waiting;
use crate::notify::announce::Audience;
use crate::platform::{clock, error};
use crate::scope::{Context, Resolution, Verdict, resolve};

/// How many unknown keys, refused keys and problems a report lists of each.
const LISTED: usize = 200;

/// A boot under way.
pub(super) struct Boot<'a> {
    /// What it is made with.
    pub(super) context: &'a Context,
    pub(super) options: &'a Options,
    /// What is reported so far.
    pub(super) report: Report,
    /// Whether the configuration is not all fresh.
    pub(super) degraded: bool,
    /// Whether what failed was rolled back.
    pub(super) rolled_back: bool,
    /// Who is told what comes of it.
    pub(super) audience: Audience,
    /// The group, where one may wait for this boot.
    pub(super) waiting: Option<Waiting>,
}

impl<'a> Boot<'a> {
    /// A boot that begins.
    pub(super) fn new(context: &'a Context, options: &'a Options, report: Report) -> Self {
        let (audience, waiting) = (Audience::default(), None);
        let (degraded, rolled_back) = (false, false);
        Self { context, options, report, degraded, rolled_back, audience, waiting }
    }

    /// Leaves the report as it is now.
    pub(super) fn save(&self) -> Result<(), BootError> {
        if self.options.plan {
            return Ok(());
        }
        self.report.write(&self.context.paths, &self.context.redactor).map_err(BootError::Report)
    }

    /// A phase that is over.
    pub(super) fn phase(&mut self, name: &str, outcome: PhaseOutcome, duration: Duration) {
        let name = name.to_owned();
        self.report.phases.push(Phase { name, outcome, duration_ms: clock::ms(duration) });
    }

    /// All phases in their order. What ends them early, or what the step fails
    /// with, is the failure.
    pub(super) async fn run(
        &mut self,
        watcher: &mut dyn Watcher,
        cancel: impl Future<Output = ()>,
    ) -> Result<Option<Failure>, BootError> {
        let resolution = match resolve(self.context).await {
            Ok(resolution) => resolution,
            Err(error) => return Ok(Some(chained("there is no configuration", &error))),
        };
        self.audience = Audience::of(
            &resolution.settings,
            resolution.identity.as_ref(),
            &self.context.redactor,
        );
        self.may_be_waited_for(&resolution);
        self.take_over(&resolution);
        watcher.resolved(&resolution);
        let handed_over = self.hand_over(&resolution);
        self.save()?;
        let secrets = hand_secrets(self.context, self.options, &resolution);
        let identity = match (&resolution.verdict, &resolution.identity) {
            (Verdict::Failed { reason }, _) => {
                secrets.await;
                return Ok(Some(Failure::of(reason)));
            }
            (_, None) => return Ok(Some(Failure::of("it is not known which instance this is"))),
            (_, Some(identity)) => identity,
        };
        if let Err(error) = handed_over {
            return Ok(Some(chained("the daemon cannot be told its configuration", &error)));
        }

        self.configure(&resolution, identity, secrets, watcher, cancel).await
    }

    /// What the resolution says goes into the report.
    fn take_over(&mut self, resolution: &Resolution) {
        let report = &mut self.report;
        report.instance_id = resolution.identity.as_ref().map(|id| id.instance_id.clone());
        report.digest = Some(resolution.digest.clone());
        report.phases.extend(resolution.phases.iter().cloned());
        report.sources = resolution.sources.clone();
        report.unknown_keys = resolution.unknown.clone();
        report.refused_keys = resolution.refused.clone();
        report.problems = resolution.problems.iter().map(ToString::to_string).collect();
        if let Verdict::Degraded { reasons } = &resolution.verdict {
            self.degraded = true;
            for reason in reasons {
                if !report.problems.contains(reason) {
                    report.problems.push(reason.clone());
                }
            }
        }
        bound(report);
    }

    /// The daemon gets the configuration even where the boot then fails: a host
    /// that is not configured is measured all the same.
    fn hand_over(&self, resolution: &Resolution) -> Result<(), HandoffError> {
        let Some(identity) = resolution.identity.as_ref().filter(|_| !self.options.plan) else {
            return Ok(());
        };
        let handoff = Handoff {
            version: handoff::VERSION,
            resolved_at: clock::now_text(),
            digest: resolution.digest.clone(),
            identity: identity.clone(),
            config: resolution.merged.root.clone(),
            sources: resolution.sources.clone(),
        };
        handoff.write(&self.context.paths.config())
    }
}

/// Keeps the lists that documents can make long within what a reader reads.
fn bound(report: &mut Report) {
    let total = report.unknown_keys.len() + report.refused_keys.len() + report.problems.len();
    report.unknown_keys.truncate(LISTED);
    report.refused_keys.truncate(LISTED);
    report.problems.truncate(LISTED);
    let kept = report.unknown_keys.len() + report.refused_keys.len() + report.problems.len();
    if kept < total {
        report.problems.push(format!("and {} more findings that are not listed", total - kept));
    }
}

/// A failure with its causes.
pub(super) fn chained(message: &str, error: &(dyn Error + 'static)) -> Failure {
    let chain = error::chain(error);
    let message = one_line(&format!("{message}: {}", chain.join(": ")));
    Failure { task: None, message, chain }
}

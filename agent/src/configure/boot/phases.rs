//! The phases of a boot in their order, and what ends them early.

use std::error::Error;
use std::pin::pin;
use std::time::{Duration, Instant};

use super::reveal::Revealed;
use super::{BootError, Options, Watcher};
use crate::configure::handoff::{self, Handoff, HandoffError};
use crate::configure::playbook::{Playbook, fetch};
use crate::configure::policy;
use crate::configure::report::{Failure, Outcome, PhaseOutcome, Report, one_line};
use crate::configure::settings::ConfigurationSettings;
use crate::configure::state::{State, StepKey};
use crate::configure::step::{Step, StepResult};
use crate::identity::Identity;
use crate::notify::announce::Audience;
use crate::platform::{clock, error};
use crate::scope::secrets::SecretError;
use crate::scope::{Context, Resolution, Verdict, resolve};

/// How many unknown keys, refused keys and problems a report lists of each.
const LISTED: usize = 200;

/// What a step is made of: the instance, how it is run, and the playbook, where it was
/// fetched.
type Parts<'a> = (&'a Identity, &'a ConfigurationSettings, Option<Playbook>);

/// A boot under way.
pub(super) struct Boot<'a> {
    /// What it is made with.
    pub(super) context: &'a Context,
    pub(super) options: &'a Options,
    /// What is reported so far.
    pub(super) report: Report,
    /// Whether the configuration is not all fresh.
    pub(super) degraded: bool,
    /// Who is told what comes of it.
    pub(super) audience: Audience,
    /// When it began.
    pub(super) began: Instant,
}

impl<'a> Boot<'a> {
    /// A boot that begins.
    pub(super) fn new(
        context: &'a Context,
        options: &'a Options,
        report: Report,
        began: Instant,
    ) -> Self {
        Self { context, options, report, degraded: false, audience: Audience::default(), began }
    }

    /// Leaves the report as it is now.
    pub(super) fn save(&self) -> Result<(), BootError> {
        if self.options.plan {
            return Ok(());
        }
        self.report.write(&self.context.paths, &self.context.redactor).map_err(BootError::Report)
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
        self.take_over(&resolution);
        watcher.resolved(&resolution);
        let started = Instant::now();
        let handed_over = self.hand_over(&resolution);
        self.timed("handoff", started, handed_over.is_ok());
        self.save()?;
        let identity = match (&resolution.verdict, &resolution.identity) {
            (Verdict::Failed { reason }, _) => return Ok(Some(Failure::of(reason))),
            (_, None) => return Ok(Some(Failure::of("it is not known which instance this is"))),
            (_, Some(identity)) => identity,
        };
        if let Err(error) = handed_over {
            return Ok(Some(chained("the daemon cannot be told its configuration", &error)));
        }

        let mut settings = resolution.settings.configuration.clone();
        if let Some(base) = &self.options.base {
            settings.playbook = fetch::below(&settings.playbook, base);
        }
        let file = self.context.paths.step_state();
        let force = self.options.force || self.options.plan;
        let previous = State::load(&file);
        let mut key = StepKey {
            instance_id: identity.instance_id.clone(),
            boot_id: self.report.boot_id.clone().unwrap_or_default(),
            digest: resolution.digest.clone(),
            playbook_digest: None,
        };
        let needed = policy::needs_playbook(settings.run, force, &previous, &key);
        let mut cancel = pin!(cancel);
        let found = self.playbook(&resolution, identity, &settings, needed, cancel.as_mut()).await;
        self.report.playbook_digest = found.digest.clone();
        key.playbook_digest = found.digest;
        let decision = policy::decide(settings.run, force, &previous, &key);
        watcher.decided(&decision);
        self.report.decision = Some(decision.clone());
        if !decision.run {
            self.phase("step", PhaseOutcome::Skipped, Duration::ZERO);
            return Ok(None);
        }
        // A step that does not run needs no playbook.
        if let Some(failure) = found.unusable {
            return Ok(Some(failure));
        }
        self.save()?;

        let state = |outcome| State { key: key.clone(), outcome, at: clock::now_text() };
        let remember = |outcome| {
            if self.options.plan { Ok(()) } else { state(outcome).save(&file) }
        };
        let forgotten = "what is run cannot be remembered";
        // A step that is killed with gild must not look like one that ended.
        if let Err(error) = remember(Outcome::Running) {
            return Ok(Some(chained(forgotten, &error)));
        }
        let revealed = self.secrets(&resolution, identity).await;
        let started = Instant::now();
        let parts = (identity, &settings, found.playbook);
        let result = self.step(parts, revealed, watcher, cancel).await;
        self.note_engine(&result);
        let mut failure = result.failure;
        let outcome = if failure.is_some() { Outcome::Failed } else { Outcome::Ready };
        if let Err(error) = remember(outcome) {
            failure = failure.or_else(|| Some(chained(forgotten, &error)));
        }
        self.report.tasks = result.tasks;
        self.timed("step", started, failure.is_none());
        Ok(failure)
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

    async fn step(
        &self,
        (identity, settings, playbook): Parts<'_>,
        revealed: Result<Revealed, SecretError>,
        watcher: &mut dyn Watcher,
        cancel: impl Future<Output = ()>,
    ) -> StepResult {
        let Context { paths, redactor, .. } = self.context;
        let (vault_password, vars) = match revealed {
            Ok(revealed) => revealed,
            Err(error) => {
                let failure = chained("a secret that the step needs cannot be had", &error);
                return StepResult {
                    tasks: Vec::new(),
                    failure: Some(failure),
                    engine: "none",
                    took: None,
                };
            }
        };
        let step = Step {
            paths,
            settings,
            playbook,
            vars: &vars,
            identity,
            vault_password,
            redactor,
            check: self.options.plan,
        };
        step.run(&mut |progress| watcher.progress(&progress), cancel).await
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

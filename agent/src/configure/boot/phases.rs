//! The phases of a boot in their order, and what ends them early.

use std::error::Error;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::lifecycle::{explained, is_new};
use super::reveal::{hand_secrets, reveal};
use super::{BootError, Options, Watcher};
use crate::configure::handoff::{self, Handoff, HandoffError};
use crate::configure::playbook::{Playbook, fetch};
use crate::configure::policy;
use crate::configure::report::{Failure, Outcome, Phase, PhaseOutcome, Report, one_line};
use crate::configure::settings::ConfigurationSettings;
use crate::configure::state::{State, StepKey};
use crate::configure::step::{Step, StepResult};
use crate::identity::Identity;
use crate::lifecycle::hook::waiting::Waiting;
use crate::notify::announce::Audience;
use crate::platform::{clock, error};
use crate::scope::secrets::Secrets;
use crate::scope::{Context, Resolution, Verdict, resolve};

/// How many unknown keys, refused keys and problems a report lists of each.
const LISTED: usize = 200;

/// How long each secret of a boot may take.
const SECRET_BUDGET: Duration = Duration::from_secs(30);

/// What a step is made of: the configuration, the instance, how it is run, and the
/// playbook, where it was fetched.
type Parts<'a> = (&'a Resolution, &'a Identity, &'a ConfigurationSettings, Option<Playbook>);

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
    /// The group, where one may wait for this boot.
    pub(super) waiting: Option<Waiting>,
}

impl<'a> Boot<'a> {
    /// A boot that begins.
    pub(super) fn new(context: &'a Context, options: &'a Options, report: Report) -> Self {
        let (audience, waiting) = (Audience::default(), None);
        Self { context, options, report, degraded: false, audience, waiting }
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
        if is_new(&previous, identity) {
            self.keep_waiting();
        }
        let cut = self.cut();
        let was_cut = AtomicBool::new(false);
        let mut cancel = pin!(async {
            tokio::select! {
                () = cancel => {}
                () = cut => was_cut.store(true, Ordering::Relaxed),
            }
        });
        // Both before the step, which may end with a weaker role.
        let (found, ()) = tokio::join!(
            self.playbook(&resolution, identity, &settings, needed, cancel.as_mut()),
            secrets
        );
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
            return Ok(Some(explained(failure, was_cut.load(Ordering::Relaxed))));
        }
        self.keep_waiting();
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
        let started = Instant::now();
        let parts = (&resolution, identity, &settings, found.playbook);
        let result = self.step(parts, watcher, cancel).await;
        let cut = was_cut.load(Ordering::Relaxed);
        let mut failure = result.failure.map(|failure| explained(failure, cut));
        let outcome = if failure.is_some() { Outcome::Failed } else { Outcome::Ready };
        if let Err(error) = remember(outcome) {
            failure = failure.or_else(|| Some(chained(forgotten, &error)));
        }
        self.report.tasks = result.tasks;
        let outcome = if failure.is_some() { PhaseOutcome::Failed } else { PhaseOutcome::Ok };
        self.phase("step", outcome, started.elapsed());
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
        (resolution, identity, settings, playbook): Parts<'_>,
        watcher: &mut dyn Watcher,
        cancel: impl Future<Output = ()>,
    ) -> StepResult {
        let Context { paths, client, redactor, .. } = self.context;
        let region = identity.region.clone();
        let secrets = Secrets::new(paths, client, region, redactor, SECRET_BUDGET);
        let password = settings.vault_password.as_ref();
        let revealed = reveal(password, &resolution.settings.vars.0, &secrets);
        let (vault_password, vars) = match revealed.await {
            Ok(revealed) => revealed,
            Err(error) => {
                let failure = chained("a secret that the step needs cannot be had", &error);
                return StepResult { tasks: Vec::new(), failure: Some(failure), engine: "none" };
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

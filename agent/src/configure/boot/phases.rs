//! The phases of a boot in their order, and what ends them early.

use std::error::Error;
use std::pin::pin;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::reveal::reveal;
use super::rollback::Failed;
use super::{BootError, Options, Watcher};
use super::playbook;
use crate::configure::applied::Applied;
use crate::configure::handoff::{self, Handoff, HandoffError};
use crate::configure::playbook::{Playbook, fetch};
use crate::configure::policy;
use crate::configure::report::{Failure, Outcome, Phase, PhaseOutcome, Report, one_line};
use crate::configure::settings::{ConfigurationSettings, RunPolicy};
use crate::configure::state::{Previous, RolledBack, State, StateError, StepKey};
use crate::configure::step::{Ended, Step, StepResult};
use crate::identity::Identity;
use crate::notify::announce::Audience;
use crate::platform::error::chain_text;
use crate::platform::{clock, error};
use crate::scope::secrets::Secrets;
use crate::scope::{Context, Resolution, Verdict, resolve};

/// How many unknown keys, refused keys and problems a report lists of each.
const LISTED: usize = 200;

/// What begins the failure of a step that cannot be remembered.
const FORGOTTEN: &str = "what is run cannot be remembered";

/// How long each secret of a boot may take.
const SECRET_BUDGET: Duration = Duration::from_secs(30);

/// What a step is made of: the user's data, the instance, how it is run, and the
/// playbook, where it was fetched.
pub(super) type Parts<'a> =
    (&'a Map<String, Value>, &'a Identity, &'a ConfigurationSettings, Option<Playbook>);

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
}

impl<'a> Boot<'a> {
    /// A boot that begins.
    pub(super) fn new(context: &'a Context, options: &'a Options, report: Report) -> Self {
        let audience = Audience::default();
        Self { context, options, report, degraded: false, rolled_back: false, audience }
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
        self.take_over(&resolution);
        watcher.resolved(&resolution);
        let handed_over = self.hand_over(&resolution);
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
        let previous = State::load(&self.context.paths.step_state());
        let mut key = StepKey {
            instance_id: identity.instance_id.clone(),
            boot_id: self.report.boot_id.clone().unwrap_or_default(),
            digest: resolution.digest.clone(),
            playbook_digest: None,
        };
        let Options { force, plan, .. } = *self.options;
        let needed = policy::needs_playbook(settings.run, force || plan, &previous, &key);
        let mut cancel = pin!(cancel);
        let mut found =
            self.playbook(&resolution, identity, &settings, needed, cancel.as_mut()).await;
        self.report.playbook_digest = found.digest.clone();
        key.playbook_digest = found.digest.take();
        let decision = policy::decide(settings.run, force, &previous, &key);
        watcher.decided(&decision);
        self.report.decision = Some(decision.clone());
        // A plan shows what the step would do, whether it would run now or not.
        if !decision.run && !plan {
            self.phase("step", PhaseOutcome::Skipped, Duration::ZERO);
            return Ok(self.as_before(previous, settings.run));
        }
        self.save()?;

        // A step that is killed with gild must not look like one that ended.
        if found.unusable.is_none()
            && let Err(error) = self.remember(&key, Outcome::Running, None)
        {
            return Ok(Some(chained(FORGOTTEN, &error)));
        }
        let begun = found.unusable.is_none();
        let mut interrupted = found.interrupted;
        let failure = match found.unusable.take() {
            Some(failure) => Some(failure),
            None => {
                let started = Instant::now();
                let vars = &resolution.settings.vars.0;
                let parts = (vars, identity, &settings, found.playbook.take());
                let result = self.step(parts, watcher, cancel.as_mut()).await;
                interrupted = result.ended == Ended::Interrupted;
                if result.installed {
                    // What it is now: the next boot must not take it for another one.
                    key.playbook_digest = playbook::digest_now(&self.context.paths, &settings);
                    self.report.playbook_digest.clone_from(&key.playbook_digest);
                }
                self.ran(result, started.elapsed())
            }
        };
        let Some(failure) = failure else {
            return Ok(self.succeeded(&key, &resolution));
        };
        let mut rolled_back = None;
        if !interrupted {
            let (resolution, settings, key) = (&resolution, &settings, &key);
            let failed = Failed { resolution, identity, settings, key };
            rolled_back = self.roll_back(failed, &failure, watcher, cancel).await;
            self.rolled_back = rolled_back.is_some();
        }
        // What could not be begun is tried anew the next time.
        if begun {
            let outcome = if self.rolled_back { Outcome::Degraded } else { Outcome::Failed };
            if let Err(error) = self.remember(&key, outcome, rolled_back) {
                tracing::warn!("{}", chain_text(&error));
            }
        }
        Ok(Some(failure))
    }

    /// What came of the step goes into the report.
    fn ran(&mut self, result: StepResult, took: Duration) -> Option<Failure> {
        self.report.tasks = result.tasks;
        self.report.attempts = result.attempts;
        self.report.ansible = result.ansible;
        let outcome = match result.failure {
            Some(_) => PhaseOutcome::Failed,
            None => PhaseOutcome::Ok,
        };
        self.phase("step", outcome, took);
        result.failure
    }

    /// Remembers what succeeded.
    fn succeeded(&self, key: &StepKey, resolution: &Resolution) -> Option<Failure> {
        if self.options.plan {
            return None;
        }
        let applied = Applied::now(key.clone(), clock::now_text(), &resolution.merged.root);
        if let Err(error) = applied.save(&self.context.paths.applied()) {
            tracing::warn!("{}", chain_text(&error));
        }
        self.remember(key, Outcome::Ready, None).err().map(|error| chained(FORGOTTEN, &error))
    }

    fn remember(
        &self,
        key: &StepKey,
        outcome: Outcome,
        rolled_back: Option<RolledBack>,
    ) -> Result<(), StateError> {
        if self.options.plan {
            return Ok(());
        }
        let state = State { key: key.clone(), outcome, rolled_back, at: clock::now_text() };
        state.save(&self.context.paths.step_state())
    }

    /// What still holds of the last step where none runs: one that was rolled back
    /// is no success.
    fn as_before(&mut self, previous: Previous, run: RunPolicy) -> Option<Failure> {
        let Previous::Found(State { rolled_back: Some(back), .. }) = previous else { return None };
        if run == RunPolicy::Never {
            return None;
        }
        self.rolled_back = true;
        self.problem(back.problem);
        Some(back.failure)
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

    /// Runs a step with the secrets that it needs.
    pub(super) async fn step(
        &self,
        (vars, identity, settings, playbook): Parts<'_>,
        watcher: &mut dyn Watcher,
        cancel: impl Future<Output = ()>,
    ) -> StepResult {
        let Context { paths, client, redactor, .. } = self.context;
        let region = identity.region.clone();
        let secrets = Secrets::new(paths, client, region, redactor, SECRET_BUDGET);
        let password = settings.vault_password.as_ref();
        let revealed = reveal(password, vars, &secrets);
        let (vault_password, vars) = match revealed.await {
            Ok(revealed) => revealed,
            Err(error) => {
                let failure = chained("a secret that the step needs cannot be had", &error);
                return StepResult::unable("none", failure);
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

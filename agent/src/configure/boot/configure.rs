//! The step within a boot: whether it runs, with which playbook and which secrets,
//! what is remembered of it, and what follows when it fails.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::lifecycle::{explained, is_new};
use super::phases::{Boot, chained};
use super::rollback::Failed;
use super::{BootError, Options, Watcher, playbook};
use crate::configure::applied::Applied;
use crate::configure::ended::{Ended, StepResult};
use crate::configure::playbook::{Playbook, fetch};
use crate::configure::policy;
use crate::configure::report::{Failure, Outcome, PhaseOutcome};
use crate::configure::settings::{ConfigurationSettings, Rollback, RunPolicy};
use crate::configure::state::{Previous, RolledBack, State, StateError, StepKey};
use crate::configure::step::Step;
use crate::identity::Identity;
use crate::platform::clock;
use crate::platform::error::chain_text;
use crate::scope::{Context, Resolution};

/// What begins the failure of a step that cannot be remembered.
const FORGOTTEN: &str = "what is run cannot be remembered";

/// What a step is made of: the user's data, the instance, how it is run, and the
/// playbook, where it was fetched.
pub(super) type Parts<'a> =
    (&'a Map<String, Value>, &'a Identity, &'a ConfigurationSettings, Option<Playbook>);

impl Boot<'_> {
    /// Decides whether the step runs, and runs it. What it fails with is the failure.
    pub(super) async fn configure(
        &mut self,
        resolution: &Resolution,
        identity: &Identity,
        secrets: impl Future<Output = ()>,
        watcher: &mut dyn Watcher,
        cancel: impl Future<Output = ()>,
    ) -> Result<Option<Failure>, BootError> {
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
        let Options { plan, .. } = *self.options;
        let force = self.options.force || self.options.bake.is_some();
        if let Some(bake) = &self.options.bake {
            settings.tags.clone_from(&bake.tags);
            // There is nothing to go back to.
            settings.rollback = Rollback::Nothing;
        }
        let needed = policy::needs_playbook(settings.run, force || plan, &previous, &key);
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
        let timing = self.timing();
        // Both before the step, which may end with a weaker role.
        let (mut found, ()) = tokio::join!(
            self.playbook(resolution, identity, &settings, needed, cancel.as_mut()),
            secrets
        );
        self.rest("secrets", timing);
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
        self.keep_waiting();
        self.save()?;

        // A step that is killed with gild must not look like one that ended.
        if found.unusable.is_none()
            && let Err(error) = self.remember(&key, Outcome::Running, None)
        {
            return Ok(Some(chained(FORGOTTEN, &error)));
        }
        let begun = found.unusable.is_none();
        let mut ran = false;
        let mut interrupted = found.interrupted;
        let failure = match found.unusable.take() {
            Some(failure) => Some(failure),
            None => {
                let vars = &resolution.settings.vars.0;
                let parts = (vars, identity, &settings, found.playbook.take());
                let result = self.step("step", parts, watcher, cancel.as_mut()).await;
                interrupted = result.ended == Ended::Interrupted;
                ran = result.took.is_some();
                if result.installed {
                    // What it is now: the next boot must not take it for another one.
                    key.playbook_digest = playbook::digest_now(&self.context.paths, &settings);
                    self.report.playbook_digest.clone_from(&key.playbook_digest);
                }
                self.ran(result)
            }
        };
        let Some(failure) = failure else {
            return Ok(self.succeeded(&key, resolution));
        };
        let failure = explained(failure, was_cut.load(Ordering::Relaxed));
        let mut rolled_back = None;
        if !interrupted {
            let (settings, key) = (&settings, &key);
            let failed = Failed { resolution, identity, settings, key };
            rolled_back = self.roll_back(failed, &failure, watcher, cancel).await;
            self.rolled_back = rolled_back.is_some();
        }
        // What could not be begun, or ran nothing, is tried anew the next time: what was
        // missing then may be there, and nothing else would tell.
        if begun {
            let rolled_back = rolled_back.filter(|_| ran);
            let outcome = if rolled_back.is_some() { Outcome::Degraded } else { Outcome::Failed };
            if let Err(error) = self.remember(&key, outcome, rolled_back) {
                tracing::warn!("{}", chain_text(&error));
            }
        }
        Ok(Some(failure))
    }

    /// What came of the step goes into the report.
    fn ran(&mut self, result: StepResult) -> Option<Failure> {
        self.report.tasks = result.tasks;
        self.report.attempts = result.attempts;
        self.report.ansible = result.ansible;
        result.failure
    }

    /// Remembers what succeeded.
    fn succeeded(&self, key: &StepKey, resolution: &Resolution) -> Option<Failure> {
        if self.options.is_apart() {
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
        if self.options.is_apart() {
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

    /// Runs a step with the secrets that it needs, as a phase of this name.
    pub(super) async fn step(
        &mut self,
        phase: &str,
        (vars, identity, settings, playbook): Parts<'_>,
        watcher: &mut dyn Watcher,
        cancel: impl Future<Output = ()>,
    ) -> StepResult {
        let (vault_password, vars) = match self.secrets(vars, settings, identity).await {
            Ok(revealed) => revealed,
            Err(error) => {
                let failure = chained("a secret that the step needs cannot be had", &error);
                return StepResult::unable("none", failure);
            }
        };
        let Context { paths, redactor, .. } = self.context;
        let started = Instant::now();
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
        let result = step.run(&mut |progress| watcher.progress(&progress), cancel).await;
        self.note_engine(&result);
        self.timed(phase, started, result.failure.is_none());
        result
    }
}

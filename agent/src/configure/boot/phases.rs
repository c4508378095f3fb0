//! The phases of a boot in their order, and what ends them early.

use std::error::Error;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::lifecycle::{explained, is_new};
use super::reveal::{Revealed, hand_secrets};
use super::{BootError, Options, Watcher};
use crate::configure::playbook::{Playbook, fetch};
use crate::configure::policy;
use crate::configure::report::{Failure, Outcome, PhaseOutcome, Report, one_line};
use crate::configure::settings::ConfigurationSettings;
use crate::configure::state::{State, StepKey};
use crate::configure::step::{Step, StepResult};
use crate::identity::Identity;
use crate::lifecycle::hook::waiting::Waiting;
use crate::notify::announce::Audience;
use crate::platform::{clock, error};
use crate::scope::secrets::SecretError;
use crate::scope::{Context, Verdict, resolve};

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
    /// The group, where one may wait for this boot.
    pub(super) waiting: Option<Waiting>,
}

impl<'a> Boot<'a> {
    /// A boot that begins.
    pub(super) fn new(
        context: &'a Context,
        options: &'a Options,
        report: Report,
        began: Instant,
    ) -> Self {
        let (audience, waiting) = (Audience::default(), None);
        Self { context, options, report, degraded: false, audience, began, waiting }
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
        self.may_be_waited_for(&resolution);
        self.take_over(&resolution);
        watcher.resolved(&resolution);
        let started = Instant::now();
        let handed_over = self.hand_over(&resolution);
        self.timed("handoff", started, handed_over.is_ok());
        self.save()?;
        let secrets = hand_secrets(self.context, self.options, &resolution);
        let identity = match (&resolution.verdict, &resolution.identity) {
            (Verdict::Failed { reason }, _) => {
                let started = Instant::now();
                secrets.await;
                self.timed("secrets", started, true);
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
        let timing = self.timing();
        // Both before the step, which may end with a weaker role.
        let (found, ()) = tokio::join!(
            self.playbook(&resolution, identity, &settings, needed, cancel.as_mut()),
            secrets
        );
        self.rest("secrets", timing);
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
        let revealed = self.secrets(&resolution, identity).await;
        let started = Instant::now();
        let parts = (identity, &settings, found.playbook);
        let result = self.step(parts, revealed, watcher, cancel).await;
        self.note_engine(&result);
        let cut = was_cut.load(Ordering::Relaxed);
        let mut failure = result.failure.map(|failure| explained(failure, cut));
        let outcome = if failure.is_some() { Outcome::Failed } else { Outcome::Ready };
        if let Err(error) = remember(outcome) {
            failure = failure.or_else(|| Some(chained(forgotten, &error)));
        }
        self.report.tasks = result.tasks;
        self.timed("step", started, failure.is_none());
        Ok(failure)
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

/// A failure with its causes.
pub(super) fn chained(message: &str, error: &(dyn Error + 'static)) -> Failure {
    let chain = error::chain(error);
    let message = one_line(&format!("{message}: {}", chain.join(": ")));
    Failure { task: None, message, chain }
}

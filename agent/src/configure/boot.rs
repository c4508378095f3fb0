//! One boot from beginning to end: resolve, hand off, decide, run the step,
//! report. `gild configure` and `gild up` are this, with other ears.
//!
//! The report is written at each phase, so that whoever asks meanwhile, or
//! after a crash, finds how far the boot had come.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::handoff::{self, Handoff};
use super::lock::Lock;
use super::policy;
use super::report::{Decision, Failure, Outcome, Phase, PhaseOutcome, Report, TaskReport};
use super::state::State;
use super::step::{Step, StepResult};
use crate::config::secret::SecretRef;
use crate::platform::paths::Paths;
use crate::platform::{clock, error};
use crate::scope::{Context, Resolution, Secrets, Verdict, resolve};

/// How long all secrets of a boot may take together.
const SECRETS_BUDGET: Duration = Duration::from_secs(30);

/// What a boot is told.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Run the step whatever the policy says.
    pub force: bool,
    /// Change nothing: only show what the step would do.
    pub plan: bool,
    /// The directory that a relative playbook path is below.
    pub base: Option<PathBuf>,
}

/// Who follows a boot as it happens.
pub trait Watcher {
    /// The configuration is known.
    fn resolved(&mut self, resolution: &Resolution);
    /// Whether the step runs, and why.
    fn decided(&mut self, decision: &Decision);
    /// A task of the step is over.
    fn task(&mut self, task: &TaskReport);
}

/// A boot that could not even leave a report.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// A directory could not be made.
    #[error("failed to make the directory '{path}'")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another configuration step is running, or the lock cannot be had.
    #[error("failed to take the lock of the configuration step")]
    Lock(#[source] super::lock::LockError),
    /// The report could not be written.
    #[error("failed to leave a report")]
    Report(#[source] super::report::ReportError),
}

/// Runs one boot to its end and leaves its report. Only a boot that cannot
/// leave a report at all is an error; everything else is an outcome.
pub async fn boot(
    context: &Context,
    options: &Options,
    watcher: &mut dyn Watcher,
    cancel: impl Future<Output = ()>,
) -> Result<Report, BootError> {
    let paths = &context.paths;
    for (directory, mode) in [(paths.run(), 0o755), (paths.state(), 0o755)] {
        crate::platform::fs::create_dir(directory, mode)
            .map_err(|source| BootError::Directory { path: directory.to_owned(), source })?;
    }
    let _lock = Lock::acquire(&paths.lock()).map_err(BootError::Lock)?;
    let mut boot = Boot { context, options, report: Report::started(boot_id(paths)) };
    boot.save()?;
    let failure = boot.run(watcher, cancel).await?;
    boot.report.outcome = match (&failure, boot.report.outcome) {
        (Some(_), _) => Outcome::Failed,
        (None, Outcome::Degraded) => Outcome::Degraded,
        (None, _) => Outcome::Ready,
    };
    boot.report.failure = failure;
    boot.report.ended_at = Some(clock::now_text());
    boot.save()?;
    if !options.plan {
        boot.report.keep(paths, &context.redactor).map_err(BootError::Report)?;
    }
    Ok(boot.report)
}

struct Boot<'a> {
    context: &'a Context,
    options: &'a Options,
    report: Report,
}

impl Boot<'_> {
    fn save(&self) -> Result<(), BootError> {
        if self.options.plan {
            return Ok(());
        }
        self.report.write(&self.context.paths, &self.context.redactor).map_err(BootError::Report)
    }

    fn phase(&mut self, name: &str, outcome: PhaseOutcome, duration: Duration) {
        let name = name.to_owned();
        self.report.phases.push(Phase { name, outcome, duration_ms: clock::ms(duration) });
    }

    /// All phases in their order; what ends them early is a failure.
    async fn run(
        &mut self,
        watcher: &mut dyn Watcher,
        cancel: impl Future<Output = ()>,
    ) -> Result<Option<Failure>, BootError> {
        let resolution = resolve(self.context).await;
        self.take_over(&resolution);
        watcher.resolved(&resolution);
        let handed_over = self.hand_over(&resolution);
        self.save()?;
        if let Verdict::Failed { reason } = &resolution.verdict {
            return Ok(Some(failure(reason.clone(), Vec::new())));
        }
        if let Err(error) = handed_over {
            return Ok(Some(chained("the daemon cannot be told its configuration", &error)));
        }

        let settings = &resolution.settings.configuration;
        let playbook = self.playbook(&settings.playbook);
        let playbook_digest = match super::step::playbook_digest(settings, &playbook) {
            Ok(digest) => digest,
            Err(error) => return Ok(Some(chained("the playbook cannot be used", &error))),
        };
        self.report.playbook_digest = playbook_digest.clone();
        let current = State {
            instance_id: resolution.identity.instance_id.clone(),
            boot_id: self.report.boot_id.clone(),
            digest: resolution.digest.clone(),
            playbook_digest,
            outcome: Outcome::Running,
            at: clock::now_text(),
        };
        let previous = State::load(&self.context.paths.step_state());
        let force = self.options.force || self.options.plan;
        let decision = policy::decide(settings.run, force, &previous, &current);
        watcher.decided(&decision);
        self.report.decision = Some(decision.clone());
        if !decision.run {
            self.phase("step", PhaseOutcome::Skipped, Duration::ZERO);
            return Ok(None);
        }
        self.save()?;

        let started = Instant::now();
        let result = self.step(&resolution, &playbook, watcher, cancel).await;
        let failure = result.failure;
        let outcome = if failure.is_none() { PhaseOutcome::Ok } else { PhaseOutcome::Failed };
        self.phase("step", outcome, started.elapsed());
        self.report.tasks = result.tasks;
        if self.options.plan {
            return Ok(failure);
        }
        let outcome = if failure.is_none() { Outcome::Ready } else { Outcome::Failed };
        let state = State { outcome, at: clock::now_text(), ..current };
        if let Err(error) = state.save(&self.context.paths.step_state()) {
            let message = "what was run cannot be remembered";
            return Ok(failure.or_else(|| Some(chained(message, &error))));
        }
        Ok(failure)
    }

    /// What the resolution says goes into the report.
    fn take_over(&mut self, resolution: &Resolution) {
        let report = &mut self.report;
        report.instance_id = Some(resolution.identity.instance_id.clone());
        report.digest = Some(resolution.digest.clone());
        report.phases.extend(resolution.phases.iter().cloned());
        report.sources = resolution.sources.clone();
        report.unknown_keys = resolution.unknown.clone();
        report.refused_keys = resolution.refused.clone();
        report.problems = resolution.problems.iter().map(ToString::to_string).collect();
        if let Verdict::Degraded { reasons } = &resolution.verdict {
            report.outcome = Outcome::Degraded;
            report.problems.extend(reasons.iter().cloned());
        }
    }

    fn hand_over(&self, resolution: &Resolution) -> Result<(), handoff::HandoffError> {
        if self.options.plan {
            return Ok(());
        }
        let handoff = Handoff {
            version: handoff::VERSION,
            resolved_at: clock::now_text(),
            digest: resolution.digest.clone(),
            identity: resolution.identity.clone(),
            config: resolution.merged.root.clone(),
            sources: resolution.sources.clone(),
        };
        handoff.write(&self.context.paths.config())
    }

    /// Where the playbook is: a relative path is below the base directory.
    fn playbook(&self, configured: &str) -> PathBuf {
        match &self.options.base {
            Some(base) if Path::new(configured).is_relative() => base.join(configured),
            _ => self.context.paths.host(configured),
        }
    }

    async fn step(
        &self,
        resolution: &Resolution,
        playbook: &Path,
        watcher: &mut dyn Watcher,
        cancel: impl Future<Output = ()>,
    ) -> StepResult {
        let settings = &resolution.settings.configuration;
        let secrets = self.context.secrets(resolution.identity.region.as_deref()).await;
        let resolved = tokio::time::timeout(SECRETS_BUDGET, async {
            let vault = match &settings.vault_password {
                None => None,
                Some(reference) => Some(secrets.resolve(reference).await?),
            };
            let vars = reveal(&resolution.settings.vars.0, &secrets).await?;
            Ok::<_, crate::scope::secrets::SecretError>((vault, vars))
        })
        .await;
        let message = "a secret that the step needs cannot be had";
        let (vault_password, vars) = match resolved {
            Ok(Ok(resolved)) => resolved,
            Ok(Err(error)) => return StepResult::not_run(chained(message, &error)),
            Err(error) => return StepResult::not_run(chained(message, &error)),
        };
        let step = Step {
            paths: &self.context.paths,
            settings,
            playbook,
            vars: &vars,
            identity: &resolution.identity,
            vault_password,
            redactor: &self.context.redactor,
            check: self.options.plan,
        };
        step.run(&mut |task| watcher.task(task), cancel).await
    }
}

/// The free data with each reference to a secret replaced by the secret. The
/// result lives as long as the step.
async fn reveal(
    vars: &Map<String, Value>,
    secrets: &Secrets,
) -> Result<Map<String, Value>, crate::scope::secrets::SecretError> {
    let mut revealed = Map::new();
    for (key, value) in vars {
        let value = match value {
            Value::Object(table) => match SecretRef::from_table(table) {
                Some(reference) => {
                    let secret: SecretString = secrets.resolve(&reference).await?;
                    Value::from(secret.expose_secret())
                }
                None => Value::Object(Box::pin(reveal(table, secrets)).await?),
            },
            other => other.clone(),
        };
        revealed.insert(key.clone(), value);
    }
    Ok(revealed)
}

fn failure(message: String, chain: Vec<String>) -> Failure {
    Failure { task: None, message, chain }
}

fn chained(message: &str, error: &(dyn Error + 'static)) -> Failure {
    let chain = error::chain(error);
    failure(format!("{message}: {}", chain.join(": ")), chain)
}

/// The kernel's name for this boot.
fn boot_id(paths: &Paths) -> Option<String> {
    let path = paths.host("/proc/sys/kernel/random/boot_id");
    std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

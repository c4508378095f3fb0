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

use super::events::Progress;
use super::handoff::{self, Handoff, HandoffError};
use super::lock::{Lock, LockError};
use super::playbook::Playbook;
use super::policy;
use super::report::{Decision, Failure, Outcome, Phase, PhaseOutcome, Report, one_line};
use super::settings::{ConfigurationSettings, Engine};
use super::state::{State, StepKey};
use super::step::{Step, StepResult};
use super::store::ReportError;
use crate::config::SecretRef;
use crate::identity::Identity;
use crate::platform::paths::Paths;
use crate::platform::{clock, error};
use crate::scope::secrets::{SecretError, Secrets};
use crate::scope::{Context, Resolution, Verdict, resolve};

/// How long each secret of a boot may take.
const SECRET_BUDGET: Duration = Duration::from_secs(30);

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
pub trait Watcher: Send {
    /// The configuration is known.
    fn resolved(&mut self, resolution: &Resolution);
    /// Whether the step runs, and why.
    fn decided(&mut self, decision: &Decision);
    /// Something happened in the step.
    fn progress(&mut self, progress: &Progress);
}

/// A boot that could not leave a report.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// A directory could not be made.
    #[error("failed to make the directory '{}'", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another configuration step is running, or the lock cannot be had.
    #[error("failed to begin the configuration step")]
    Lock(#[source] LockError),
    /// The report could not be written.
    #[error("failed to leave a report")]
    Report(#[source] ReportError),
}

/// Runs one boot to its end and leaves its report. Only a boot that cannot
/// leave a report is an error; everything else is an outcome.
pub async fn boot(
    context: &Context,
    options: &Options,
    watcher: &mut dyn Watcher,
    cancel: impl Future<Output = ()>,
) -> Result<Report, BootError> {
    let paths = &context.paths;
    for directory in [paths.run(), paths.state()] {
        crate::platform::fs::create_dir(directory, 0o755)
            .map_err(|source| BootError::Directory { path: directory.to_owned(), source })?;
    }
    let _lock = Lock::acquire(&paths.lock()).await.map_err(BootError::Lock)?;
    let mut report = Report::started(&clock::now_text());
    report.boot_id = boot_id(paths);
    let mut boot = Boot { context, options, report, degraded: false };
    boot.save()?;
    let failure = boot.run(watcher, cancel).await?;
    boot.report.outcome = match (&failure, boot.degraded) {
        (Some(_), _) => Outcome::Failed,
        (None, true) => Outcome::Degraded,
        (None, false) => Outcome::Ready,
    };
    boot.report.failure = failure;
    boot.report.ended_at = Some(clock::now_text());
    boot.save()?;
    if !options.plan {
        boot.report.keep(paths, &context.redactor).map_err(BootError::Report)?;
    }
    Ok(boot.report.redacted(&context.redactor))
}

struct Boot<'a> {
    context: &'a Context,
    options: &'a Options,
    report: Report,
    degraded: bool,
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

    /// All phases in their order. What ends them early, or what the step fails
    /// with, is the failure.
    async fn run(
        &mut self,
        watcher: &mut dyn Watcher,
        cancel: impl Future<Output = ()>,
    ) -> Result<Option<Failure>, BootError> {
        let resolution = match resolve(self.context).await {
            Ok(resolution) => resolution,
            Err(error) => return Ok(Some(chained("there is no configuration", &error))),
        };
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
        if let Some(base) = &self.options.base
            && Path::new(&settings.playbook).is_relative()
        {
            settings.playbook = base.join(&settings.playbook).display().to_string();
        }
        let playbook_digest = match playbook_digest(&self.context.paths, &settings) {
            Ok(digest) => digest,
            Err(error) => return Ok(Some(chained("the playbook cannot be used", &error))),
        };
        self.report.playbook_digest = playbook_digest.clone();
        let key = StepKey {
            instance_id: identity.instance_id.clone(),
            boot_id: self.report.boot_id.clone().unwrap_or_default(),
            digest: resolution.digest.clone(),
            playbook_digest,
        };
        let file = self.context.paths.step_state();
        let force = self.options.force || self.options.plan;
        let decision = policy::decide(settings.run, force, &State::load(&file), &key);
        watcher.decided(&decision);
        self.report.decision = Some(decision.clone());
        if !decision.run {
            self.phase("step", PhaseOutcome::Skipped, Duration::ZERO);
            return Ok(None);
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
        let started = Instant::now();
        let result = self.step(&resolution, identity, &settings, watcher, cancel).await;
        let mut failure = result.failure;
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
        resolution: &Resolution,
        identity: &Identity,
        settings: &ConfigurationSettings,
        watcher: &mut dyn Watcher,
        cancel: impl Future<Output = ()>,
    ) -> StepResult {
        let Context { paths, client, redactor, .. } = self.context;
        let region = identity.region.clone();
        let secrets = Secrets::new(paths, client, region, redactor, SECRET_BUDGET);
        let revealed = async {
            let vault = match &settings.vault_password {
                None => None,
                Some(reference) => Some(secrets.resolve(reference).await?),
            };
            Ok::<_, SecretError>((vault, reveal(&resolution.settings.vars.0, &secrets).await?))
        };
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
            vars: &vars,
            identity,
            vault_password,
            redactor,
            check: self.options.plan,
        };
        step.run(&mut |progress| watcher.progress(&progress), cancel).await
    }
}

/// The playbook's digest. A command needs no playbook; Ansible does, and says
/// so itself where there is none.
fn playbook_digest(
    paths: &Paths,
    settings: &ConfigurationSettings,
) -> Result<Option<String>, super::playbook::PlaybookError> {
    let needed = match settings.engine {
        Engine::Exec => false,
        Engine::Auto | Engine::Either => settings.exec.is_empty(),
        Engine::Ansible => true,
    };
    match Playbook::open(paths, &settings.playbook) {
        Ok(playbook) => playbook.digest().map(Some),
        Err(_) if !needed => Ok(None),
        Err(error) => Err(error),
    }
}

/// The free data with each reference to a secret replaced by the secret. The
/// result lives as long as the step.
async fn reveal(
    vars: &Map<String, Value>,
    secrets: &Secrets,
) -> Result<Map<String, Value>, SecretError> {
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

fn chained(message: &str, error: &(dyn Error + 'static)) -> Failure {
    let chain = error::chain(error);
    let message = one_line(&format!("{message}: {}", chain.join(": ")));
    Failure { task: None, message, chain }
}

/// The kernel's name for this boot.
fn boot_id(paths: &Paths) -> Option<String> {
    let path = paths.host("/proc/sys/kernel/random/boot_id");
    std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

//! The configuration step: one engine, chosen by the settings, run until it
//! succeeds or there is no sense in running it again, and what came of it.
//! Whatever goes wrong is part of the result; this never fails otherwise.

use std::error::Error;
use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::ansible::{self, AnsibleError};
use super::attempt::{Attempt, AttemptOf};
use super::ended::{Ended, StepResult};
use super::events::Progress;
use super::exec;
use super::playbook::{Playbook, PlaybookError};
use super::process::{End, Stop};
use super::report::{Failure, one_line};
use super::settings::{ConfigurationSettings, Engine};
use crate::identity::Identity;
use crate::platform::clock;
use crate::platform::error::{chain, chain_text};
use crate::platform::paths::Paths;
use crate::platform::redact::Redactor;
use crate::platform::retry::Backoff;

/// The variable under which the playbook finds the instance's facts.
pub const FACTS: &str = "gild";

/// Why a step ended that was told to stop.
pub(crate) const INTERRUPTED: &str = "interrupted: gild was told to stop";

/// The pause before a step is run again.
const PAUSE: Backoff = Backoff { first: Duration::from_secs(2), most: Duration::from_secs(15) };

/// A step to run. The caller holds the lock.
#[derive(Debug)]
pub struct Step<'a> {
    /// Where things are.
    pub paths: &'a Paths,
    /// How the step is configured.
    pub settings: &'a ConfigurationSettings,
    /// The playbook, where it was fetched; `None` where it is the directory that the
    /// settings name.
    pub playbook: Option<Playbook>,
    /// The user's data, its references to secrets resolved.
    pub vars: &'a Map<String, Value>,
    /// The instance.
    pub identity: &'a Identity,
    /// The password of Ansible Vault.
    pub vault_password: Option<SecretString>,
    /// What must not be seen.
    pub redactor: &'a Redactor,
    /// Whether to show what would be done instead of doing it.
    pub check: bool,
}

/// The engine of one step.
enum Chosen {
    Ansible(Result<PathBuf, AnsibleError>),
    Exec,
}

impl Step<'_> {
    /// Runs the step to its end, to its deadline, or until `cancel` is ready; again
    /// after a failure, as often as the settings say.
    pub async fn run(
        &self,
        progress: &mut (dyn FnMut(Progress) + Send),
        cancel: impl Future<Output = ()>,
    ) -> StepResult {
        if let Some(password) = &self.vault_password {
            self.redactor.add(password.expose_secret());
        }
        let deadline = Instant::now() + self.settings.timeout;
        let retries = if self.check { 0 } else { usize::from(self.settings.retries) };
        let cancel = pin!(cancel);
        let mut cancel: Stop<'_> = cancel;
        let mut attempts = Vec::new();
        let mut installed = false;
        let mut took: Option<Duration> = None;
        loop {
            let begun = Instant::now();
            let mut result = self.once(deadline, progress, cancel.as_mut()).await;
            installed |= result.installed;
            took = took.into_iter().chain(result.took).reduce(|all, one| all + one);
            attempts.push(Attempt {
                of: AttemptOf::Step,
                duration_ms: clock::ms(begun.elapsed()),
                failure: result.failure.clone(),
            });
            let pause = PAUSE.wait(u32::try_from(attempts.len()).unwrap_or(u32::MAX));
            let time_left = deadline.saturating_duration_since(Instant::now());
            if result.ended == Ended::Failed && attempts.len() <= retries && pause < time_left {
                let why = result.failure.as_ref().map_or("", |failure| &failure.message);
                tracing::warn!(attempt = attempts.len(), "the step failed and is run again: {why}");
                tokio::select! {
                    () = tokio::time::sleep(pause) => continue,
                    () = cancel.as_mut() => {
                        result.ended = Ended::Interrupted;
                        result.failure = Some(Failure::of(INTERRUPTED));
                    }
                }
            }
            return StepResult { attempts, installed, took, ..result };
        }
    }

    /// Runs the step once.
    async fn once(
        &self,
        deadline: Instant,
        progress: &mut (dyn FnMut(Progress) + Send),
        cancel: Stop<'_>,
    ) -> StepResult {
        let variables = self.variables();
        let (engine, result) = match self.choose() {
            Chosen::Ansible(Ok(program)) => {
                let result =
                    ansible::run(self, &program, &variables, deadline, progress, cancel).await;
                ("ansible", result.map_err(|error| self.failure(&error)))
            }
            Chosen::Ansible(Err(error)) => ("ansible", Err(self.failure(&error))),
            Chosen::Exec => {
                let result = exec::run(self, &variables, deadline, progress, cancel).await;
                ("exec", result.map_err(|error| self.failure(&error)))
            }
        };
        match result {
            Ok(ran) => StepResult::of(engine, ran),
            Err(failure) => StepResult::unable(engine, failure),
        }
    }

    /// The playbook that is run.
    pub(crate) fn playbook(&self) -> Result<Playbook, PlaybookError> {
        match &self.playbook {
            Some(fetched) => Ok(fetched.clone()),
            None => Playbook::open(self.paths, &self.settings.playbook),
        }
    }

    fn choose(&self) -> Chosen {
        let ansible = || ansible::find(self.paths, &self.settings.ansible_playbook);
        let has_command = !self.settings.exec.is_empty();
        match self.settings.engine {
            Engine::Exec => Chosen::Exec,
            Engine::Auto if has_command => Chosen::Exec,
            Engine::Auto | Engine::Ansible => Chosen::Ansible(ansible()),
            Engine::Either => match ansible() {
                Err(_) if has_command => Chosen::Exec,
                found => Chosen::Ansible(found),
            },
        }
    }

    /// The user's data, and the instance's facts under a name of their own.
    fn variables(&self) -> Map<String, Value> {
        let identity = self.identity;
        let facts = json!({
            "instance_id": identity.instance_id,
            "instance_type": identity.instance_type,
            "region": identity.region,
            "availability_zone": identity.availability_zone,
            "account": identity.account,
            "image_id": identity.image_id,
            "private_ip": identity.private_ip,
            "hostname": identity.hostname,
            "autoscaling_group": identity.autoscaling_group,
            "tags": identity.tags,
            "pid": std::process::id(),
        });
        let mut variables = self.vars.clone();
        variables.insert(FACTS.to_owned(), facts);
        variables
    }

    /// Logs a line of the step's output and gives it back without secrets.
    pub(crate) fn log(&self, line: &str) -> String {
        let line = self.redactor.cut_text(line);
        if !line.trim().is_empty() {
            tracing::info!(target: "gild::step", "{line}");
        }
        line
    }

    /// Why a step was killed, in words.
    pub(crate) fn killed_because(&self, end: End) -> String {
        match end {
            End::Interrupted => INTERRUPTED.to_owned(),
            _ => {
                let limit = humantime::format_duration(self.settings.timeout);
                format!("it did not end within {limit} and was killed")
            }
        }
    }

    fn failure(&self, error: &(dyn Error + 'static)) -> Failure {
        Failure {
            task: None,
            message: one_line(&self.redactor.text(&chain_text(error))),
            chain: chain(error).iter().map(|text| self.redactor.text(text)).collect(),
        }
    }
}

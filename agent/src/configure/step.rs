//! The configuration step: one engine, chosen by the settings, and what came of
//! it. Whatever goes wrong is part of the result; this never fails otherwise.

use std::error::Error;
use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use super::ansible::{self, AnsibleError};
use super::events::Progress;
use super::exec;
use super::playbook::{Playbook, PlaybookError};
use super::process::End;
use super::report::{Failure, TaskReport, one_line};
use super::settings::{ConfigurationSettings, Engine};
use crate::identity::Identity;
use crate::platform::error::{chain, chain_text};
use crate::platform::paths::Paths;
use crate::platform::redact::Redactor;

/// The variable under which the playbook finds the instance's facts.
pub const FACTS: &str = "gild";

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

/// What came of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepResult {
    /// Its tasks.
    pub tasks: Vec<TaskReport>,
    /// Why it failed; `None` where it succeeded.
    pub failure: Option<Failure>,
    /// What ran it: `ansible` or `exec`.
    pub engine: &'static str,
    /// How long that ran, from its start to its exit; `None` where it never did.
    pub took: Option<Duration>,
}

/// What came of a run that could be started.
pub(crate) struct Ran {
    /// The tasks.
    pub(crate) tasks: Vec<TaskReport>,
    /// Why it failed.
    pub(crate) failure: Option<Failure>,
    /// How long it ran.
    pub(crate) took: Duration,
}

/// The engine of one step.
enum Chosen {
    Ansible(Result<PathBuf, AnsibleError>),
    Exec,
}

impl Step<'_> {
    /// Runs the step to its end, to its deadline, or until `cancel` is ready.
    pub async fn run(
        &self,
        progress: &mut (dyn FnMut(Progress) + Send),
        cancel: impl Future<Output = ()>,
    ) -> StepResult {
        if let Some(password) = &self.vault_password {
            self.redactor.add(password.expose_secret());
        }
        let variables = self.variables();
        let (engine, result) = match self.choose() {
            Chosen::Ansible(Ok(program)) => {
                let result = ansible::run(self, &program, &variables, progress, cancel).await;
                ("ansible", result.map_err(|error| self.failure(&error)))
            }
            Chosen::Ansible(Err(error)) => ("ansible", Err(self.failure(&error))),
            Chosen::Exec => {
                let result = exec::run(self, &variables, progress, cancel).await;
                ("exec", result.map_err(|error| self.failure(&error)))
            }
        };
        match result {
            Ok(Ran { tasks, failure, took }) => {
                StepResult { tasks, failure, engine, took: Some(took) }
            }
            Err(failure) => {
                StepResult { tasks: Vec::new(), failure: Some(failure), engine, took: None }
            }
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
            End::Interrupted => "interrupted: gild was told to stop".to_owned(),
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

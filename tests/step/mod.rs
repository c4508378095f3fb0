//! The configuration step with the real `ansible-playbook`, whose path the
//! harness gives in `GILD_TEST_ANSIBLE`.

#![allow(clippy::unwrap_used)]

mod attempts;
mod commands;
mod ends;
mod requirements;
mod tasks;
mod text;
mod vaults;
mod versions;

use std::collections::BTreeMap;
use std::fs;
use std::future::{Future, pending};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use gild::config::origin::{LayerName, Origin};
use gild::config::schema::{Reader, Setting};
use gild::config::{KeyPath, Node};
use gild::configure::report::{TaskOutcome, TaskReport};
use gild::configure::settings::ConfigurationSettings;
use gild::configure::{Playbook, Progress, Step, StepResult};
use gild::identity::{Identity, Provenance};
use gild::platform::paths::Paths;
use gild::platform::redact::Redactor;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

pub(super) fn ansible() -> PathBuf {
    std::env::var_os("GILD_TEST_ANSIBLE")
        .expect("GILD_TEST_ANSIBLE must be the path of an ansible-playbook")
        .into()
}

/// A playbook and the directories of a gild that runs it.
pub(super) struct Host {
    pub(super) directory: tempfile::TempDir,
    pub(super) settings: Map<String, Value>,
    pub(super) vars: Map<String, Value>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) password: Option<String>,
    pub(super) redactor: Redactor,
    pub(super) check: bool,
}

impl Host {
    pub(super) fn new(playbook: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("playbook")).unwrap();
        let settings = json!({
            "playbook": directory.path().join("playbook"),
            "tags": [],
            "timeout": "60s",
        });
        let host = Self {
            settings: settings.as_object().unwrap().clone(),
            directory,
            vars: Map::new(),
            tags: BTreeMap::new(),
            password: None,
            redactor: Redactor::default(),
            check: false,
        };
        host.file("playbook/main.yml", playbook);
        // The playbook's own settings of Ansible hold; here the Python, which
        // Ansible would else look for among all that a developer has.
        let python = ansible().with_file_name("python3");
        let settings = format!("[defaults]\ninterpreter_python = {}\n", python.display());
        host.file("playbook/ansible.cfg", &settings);
        host
    }

    pub(super) fn with_tasks(tasks: &str) -> Self {
        let indented: String = tasks.lines().map(|line| format!("    {line}\n")).collect();
        Self::new(&format!(
            "- name: a play\n  hosts: all\n  gather_facts: false\n  tasks:\n{indented}"
        ))
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn file(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(super) fn set(mut self, key: &str, value: Value) -> Self {
        self.settings.insert(key.to_owned(), value);
        self
    }

    pub(super) async fn run(&self) -> StepResult {
        self.run_until(&mut |_| (), pending()).await
    }

    /// Runs the playbook as one that was fetched.
    pub(super) async fn run_fetched(&self) -> StepResult {
        let playbook = self.path("playbook");
        let paths = Paths::installed(Path::new("/"));
        let playbook = Playbook::open(&paths, playbook.to_str().unwrap()).unwrap();
        self.run_as(Some(playbook), &mut |_| (), pending()).await
    }

    pub(super) async fn run_until(
        &self,
        progress: &mut (dyn FnMut(Progress) + Send),
        cancel: impl Future<Output = ()>,
    ) -> StepResult {
        self.run_as(None, progress, cancel).await
    }

    async fn run_as(
        &self,
        playbook: Option<Playbook>,
        progress: &mut (dyn FnMut(Progress) + Send),
        cancel: impl Future<Output = ()>,
    ) -> StepResult {
        let mut settings = self.settings.clone();
        settings.entry("ansible_playbook").or_insert_with(|| json!(ansible()));
        let origin = Origin {
            layer: LayerName::Local,
            source: "test".into(),
            version: None,
            line: None,
            last_good: false,
        };
        let node = Node::from_value(&Value::Object(settings), &origin);
        let mut reader = Reader::default();
        let settings = ConfigurationSettings::read(&node, &KeyPath::root(), &mut reader).unwrap();
        let identity = Identity {
            provenance: Provenance::Host,
            instance_id: "i-0123".to_owned(),
            instance_type: None,
            region: Some("eu-west-1".to_owned()),
            availability_zone: None,
            account: None,
            image_id: None,
            private_ip: None,
            public_ip: None,
            hostname: "host".to_owned(),
            autoscaling_group: None,
            tags: self.tags.clone(),
        };
        let paths = Paths::private(Path::new("/"), &self.path("gild"));
        let step = Step {
            paths: &paths,
            settings: &settings,
            playbook,
            vars: &self.vars,
            identity: &identity,
            vault_password: self.password.clone().map(SecretString::from),
            redactor: &self.redactor,
            check: self.check,
        };
        let result = step.run(progress, cancel).await;
        assert!(!paths.step().exists(), "the step's directory is left behind");
        result
    }
}

pub(super) fn outcomes(tasks: &[TaskReport]) -> Vec<(&str, TaskOutcome)> {
    tasks.iter().map(|task| (task.name.as_str(), task.outcome)).collect()
}

/// The processes whose command line holds `text`.
pub(super) fn running(text: &str) -> Vec<String> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    processes
        .flatten()
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(text))
        .collect()
}

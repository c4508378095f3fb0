//! Ansible as the engine: `ansible-playbook` with the configuration as
//! variables that stay text, the vault password through a pipe, and a callback
//! plugin that tells what each task does.

/// The command line.
mod command;
/// The variables.
mod vars;

use std::future::Future;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Instant;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use tokio::net::unix::pipe;

pub use command::find;

use super::events::Progress;
use super::lines::Tail;
use super::playbook::PlaybookError;
use super::process::{self, End, Ended, Line, ProcessError, Spec};
use super::recorder::Recorder;
use super::report::{Failure, TaskReport};
use super::step::{Ran, Step};
use super::workspace::{Workspace, WorkspaceError};
use command::Invocation;

/// The plugin that tells gild what a play does.
const CALLBACK: &str = include_str!("callback.py");

/// The longest vault password: a pipe takes as much before anyone reads it.
const LONGEST_PASSWORD: usize = 4096;

/// How many lines of output are kept for a failure that no task explains.
const TAIL: usize = 40;

/// How many of them the report shows.
const SHOWN: usize = 15;

/// Ansible cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum AnsibleError {
    /// There is none.
    #[error("failed to find ansible-playbook: neither at '{}' nor on PATH", baked.display())]
    NotInstalled {
        /// Where images keep it.
        baked: PathBuf,
    },
    /// What the setting names cannot be run.
    #[error("the setting configuration.ansible_playbook, '{setting}', names no program")]
    NotAProgram {
        /// The setting.
        setting: String,
    },
    /// The playbook cannot be used.
    #[error("failed to use the playbook")]
    Playbook(#[from] PlaybookError),
    /// The variables cannot be handed over.
    #[error("failed to hand the configuration to Ansible")]
    Workspace(#[from] WorkspaceError),
    /// A pipe cannot be made.
    #[error("failed to make a pipe to Ansible")]
    Pipe(#[source] io::Error),
    /// The vault password does not fit.
    #[error("the vault password is longer than {LONGEST_PASSWORD} bytes")]
    Password,
    /// The process cannot be run.
    #[error("failed to run Ansible")]
    Process(#[from] ProcessError),
}

/// Runs the playbook.
pub(crate) async fn run(
    step: &Step<'_>,
    program: &Path,
    variables: &Map<String, Value>,
    progress: &mut (dyn FnMut(Progress) + Send),
    cancel: impl Future<Output = ()>,
) -> Result<Ran, AnsibleError> {
    let playbook = step.playbook()?;
    playbook.check_entry(&step.settings.entry)?;
    let program = std::path::absolute(program).map_err(AnsibleError::Pipe)?;

    let workspace = Workspace::create(&step.paths.step())?;
    let vars = workspace.write("vars.yml", vars::document(variables).as_bytes())?;
    let callback = workspace.write("callbacks/gild_events.py", CALLBACK.as_bytes())?;
    let (events_here, events_there) = io::pipe().map_err(AnsibleError::Pipe)?;
    let events =
        pipe::Receiver::from_owned_fd(OwnedFd::from(events_here)).map_err(AnsibleError::Pipe)?;
    let vault = step.vault_password.as_ref().map(vault_pipe).transpose()?;

    let invocation = Invocation {
        program: &program,
        settings: step.settings,
        vars: &std::path::absolute(vars).map_err(AnsibleError::Pipe)?,
        callbacks: &std::path::absolute(callback.parent().unwrap_or(&callback))
            .map_err(AnsibleError::Pipe)?,
        events: events_there.as_raw_fd(),
        vault: vault.as_ref().map(AsRawFd::as_raw_fd),
        check: step.check,
    };
    let spec = Spec {
        args: invocation.args(),
        environment: invocation.environment(),
        program: program.clone(),
        directory: playbook.directory().to_owned(),
        inherit: std::iter::once(OwnedFd::from(events_there)).chain(vault).collect(),
        events: Some(events),
        timeout: step.settings.timeout,
    };

    let mut recorder = Recorder::new(step.redactor);
    let mut tail = Tail::new(TAIL);
    let Ended { end, took } = process::run_timed(spec, cancel, &mut |line| match line {
        Line::Output(line) => tail.push(step.log(&line)),
        Line::Event(line) => {
            if let Some(event) = recorder.line(&line, Instant::now()) {
                progress(event);
            }
        }
    })
    .await?;
    drop(workspace);

    if recorder.garbage > 0 || recorder.dropped > 0 {
        tracing::warn!(
            not_understood = recorder.garbage,
            not_kept = recorder.dropped,
            "the report of the play is not complete"
        );
    }
    let (tasks, failure) = conclude(step, end, recorder, &tail);
    Ok(Ran { tasks, failure, took })
}

/// A pipe that holds the vault password. It is written before Ansible starts
/// and closed, so that nothing of it is left here while the play runs, and the
/// first reader empties it.
fn vault_pipe(password: &SecretString) -> Result<OwnedFd, AnsibleError> {
    let password = password.expose_secret().as_bytes();
    if password.len() > LONGEST_PASSWORD {
        return Err(AnsibleError::Password);
    }
    let (reader, mut writer) = io::pipe().map_err(AnsibleError::Pipe)?;
    writer.write_all(password).map_err(AnsibleError::Pipe)?;
    Ok(OwnedFd::from(reader))
}

/// What came of the play: its tasks, and why it failed.
fn conclude(
    step: &Step<'_>,
    end: End,
    mut recorder: Recorder<'_>,
    tail: &Tail,
) -> (Vec<TaskReport>, Option<Failure>) {
    match end {
        End::Exited(status) if status.success() => {
            let unmatched = recorder.empty;
            let tasks = recorder.succeeded();
            // Ansible calls this a success, but nothing was configured.
            let failure = (unmatched && tasks.is_empty())
                .then(|| Failure::of("no task ran: the playbook's hosts must include 127.0.0.1"));
            (tasks, failure)
        }
        End::Exited(status) => {
            let (tasks, culprit) = recorder.failed();
            let failure = match culprit.and_then(|index| tasks.get(index)) {
                Some(task) => blame(task, &ended(status)),
                None => unexplained(tail, &ended(status)),
            };
            (tasks, Some(failure))
        }
        End::TimedOut | End::Interrupted => {
            let reason = step.killed_because(end);
            recorder.killed(&reason, Instant::now());
            let (tasks, culprit) = recorder.failed();
            let task = culprit.and_then(|index| tasks.get(index)).map(|task| task.name.clone());
            (tasks, Some(Failure { task, ..Failure::of(&reason) }))
        }
    }
}

fn ended(status: ExitStatus) -> String {
    format!("ansible-playbook ended with {status}")
}

/// A failure that a task explains.
fn blame(task: &TaskReport, ended: &str) -> Failure {
    let message = task.message.as_deref().unwrap_or("it gave no message");
    Failure {
        task: Some(task.name.clone()),
        message: super::report::one_line(message),
        chain: vec![ended.to_owned(), format!("task '{}' failed", task.name), message.to_owned()],
    }
}

/// A failure before any task, or of Ansible itself: what it printed last, from
/// the first line on that it marks as an error.
fn unexplained(tail: &Tail, ended: &str) -> Failure {
    let is_error = |line: &&str| line.starts_with("ERROR!") || line.starts_with("[ERROR]");
    let lines: Vec<_> = tail.lines().collect();
    let from = lines.iter().position(is_error).unwrap_or(lines.len().saturating_sub(SHOWN));
    let shown = lines.get(from..).unwrap_or_default();
    let message = shown.first().filter(|line| is_error(line)).or(shown.last());
    let message = match message {
        Some(line) => format!("{ended}: {line}"),
        None => format!("{ended} and printed nothing"),
    };
    Failure {
        task: None,
        message: super::report::one_line(&message),
        chain: std::iter::once(ended)
            .chain(shown.iter().take(SHOWN).copied())
            .map(str::to_owned)
            .collect(),
    }
}
